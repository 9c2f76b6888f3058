// go-smtp 0.12, as Debian 12 has it, as a server of the benchmark.
//
// The Go runtime starts as many processors as its affinity mask has cores, so
// on the one core it is given, GOMAXPROCS is 1.
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"github.com/emersion/go-smtp"
)

// config is what it needs of the ServerConfig in its only argument: see
// ../../config.ts.
type config struct {
	Port        int    `json:"port"`
	Encryption  string `json:"encryption"`
	Certificate struct {
		Cert string `json:"cert"`
		Key  string `json:"key"`
	} `json:"certificate"`
	Login struct {
		Username string `json:"username"`
		Password string `json:"password"`
	} `json:"login"`
	AuthURL string `json:"authUrl"`
	Maildir string `json:"maildir"`
	HopPort int    `json:"hopPort"`
}

// idle is how long it waits for a client: as long as this package does.
const idle = 5 * time.Minute

func main() {
	log.Fatal(run())
}

func run() error {
	var given config
	if len(os.Args) != 2 {
		return fmt.Errorf("want one argument, got %d", len(os.Args)-1)
	}
	if err := json.Unmarshal([]byte(os.Args[1]), &given); err != nil {
		return err
	}
	mail, err := newKeeper(given)
	if err != nil {
		return err
	}

	server := smtp.NewServer(backend{})
	server.Domain = "localhost"
	server.MaxMessageBytes = 26214400
	server.MaxRecipients = 100
	server.ReadTimeout = idle
	server.WriteTimeout = idle
	server.AllowInsecureAuth = true
	server.EnableSMTPUTF8 = true
	enableAuth(server, newChecker(given), mail)

	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", given.Port))
	if err != nil {
		return err
	}
	if given.Encryption == "none" {
		return server.Serve(listener)
	}
	pair, err := tls.X509KeyPair(
		[]byte(given.Certificate.Cert),
		[]byte(given.Certificate.Key),
	)
	if err != nil {
		return err
	}
	// With it, go-smtp offers STARTTLS until TLS is on.
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	if given.Encryption == "implicit" {
		listener = tls.NewListener(listener, server.TLSConfig)
	}
	return server.Serve(listener)
}
