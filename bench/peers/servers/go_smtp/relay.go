package main

import (
	"fmt"
	"io"

	"github.com/emersion/go-smtp"
)

// relay hands a message on before it is answered, over a connection of its own:
// as smtprelay does.
type relay struct {
	hop string
}

func newRelay(port int) relay {
	return relay{hop: fmt.Sprintf("127.0.0.1:%d", port)}
}

func (r relay) keep(from *session, body io.Reader) error {
	client, err := smtp.Dial(r.hop)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Mail(from.sender, nil); err != nil {
		return err
	}
	for _, recipient := range from.recipients {
		if err := client.Rcpt(recipient); err != nil {
			return err
		}
	}
	data, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := io.Copy(data, body); err != nil {
		return err
	}
	if err := data.Close(); err != nil {
		return err
	}
	return client.Quit()
}
