package main

import (
	"io"

	"github.com/emersion/go-smtp"
)

// backend has nothing to do: logins are checked before go-smtp would ask it.
type backend struct{}

func (backend) Login(
	_ *smtp.ConnectionState, _, _ string,
) (smtp.Session, error) {
	return nil, smtp.ErrAuthUnsupported
}

func (backend) AnonymousLogin(*smtp.ConnectionState) (smtp.Session, error) {
	return nil, smtp.ErrAuthRequired
}

// session is a client that has logged in.
type session struct {
	mail     keeper
	remoteIP string
	heloName string
	sender   string

	recipients []string
}

func (s *session) Mail(from string, _ smtp.MailOptions) error {
	s.sender = from
	return nil
}

func (s *session) Rcpt(to string) error {
	s.recipients = append(s.recipients, to)
	return nil
}

func (s *session) Data(body io.Reader) error { return s.mail.keep(s, body) }

func (s *session) Reset() { s.sender, s.recipients = "", nil }

func (s *session) Logout() error { return nil }
