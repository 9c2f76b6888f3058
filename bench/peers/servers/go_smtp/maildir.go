package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// keeper does something with a message before it is answered.
type keeper interface {
	keep(from *session, body io.Reader) error
}

func newKeeper(given config) (keeper, error) {
	if given.HopPort != 0 {
		return newRelay(given.HopPort), nil
	}
	if given.Maildir == "" {
		return discard{}, nil
	}
	folder, err := os.Open(given.Maildir + "/new")
	if err != nil {
		return nil, err
	}
	return &keptMail{path: given.Maildir, folder: folder}, nil
}

type discard struct{}

func (discard) keep(_ *session, body io.Reader) error {
	_, err := io.Copy(io.Discard, body)
	return err
}

// keptMail makes the same promise as any Maildir: on the disk before it is
// answered. Line ends are LF in it: go-smtp hands bodies on so.
type keptMail struct {
	path   string
	folder *os.File
	stored uint64
}

func (m *keptMail) keep(from *session, body io.Reader) error {
	now := time.Now()
	name := fmt.Sprintf(
		"%d.P%dQ%d.mx", now.Unix(), os.Getpid(), atomic.AddUint64(&m.stored, 1),
	)
	waiting := m.path + "/tmp/" + name
	if err := write(waiting, from, now, body); err != nil {
		return err
	}
	if err := os.Rename(waiting, m.path+"/new/"+name); err != nil {
		return err
	}
	return m.folder.Sync()
}

func write(path string, from *session, now time.Time, body io.Reader) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := fmt.Fprintf(
		file,
		"Return-Path: <%s>\nReceived: from %s (%s)\n\tby mx with ESMTPA; %s\n",
		from.sender, from.heloName, from.remoteIP, now.Format(time.RFC1123Z),
	); err != nil {
		return err
	}
	if _, err := io.Copy(file, body); err != nil {
		return err
	}
	return file.Sync()
}
