package main

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// request is what the HTTP end is asked, and what a static check looks at.
type request struct {
	Username  string `json:"username"`
	Password  string `json:"password"`
	Mechanism string `json:"mechanism"`
	RemoteIP  string `json:"remoteIp"`
	HeloName  string `json:"heloName"`
}

// checker says whether a login is right: nil, or the reply.
type checker func(request) error

var errInvalid = &smtp.SMTPError{
	Code:         535,
	EnhancedCode: smtp.EnhancedCode{5, 7, 8},
	Message:      "Invalid username or password",
}

var errFailure = &smtp.SMTPError{
	Code:         454,
	EnhancedCode: smtp.EnhancedCode{4, 7, 0},
	Message:      "Temporary authentication failure",
}

func newChecker(given config) checker {
	if given.AuthURL != "" {
		return httpCheck(given.AuthURL)
	}
	return func(asked request) error {
		if asked.Username == given.Login.Username &&
			asked.Password == given.Login.Password {
			return nil
		}
		return errInvalid
	}
}

// keptConnections is how many connections to the HTTP end it keeps: all that
// the benchmark can ask for at once. Go's own default is 2.
const keptConnections = 1024

func httpCheck(url string) checker {
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConns:        keptConnections,
		MaxIdleConnsPerHost: keptConnections,
		DisableCompression:  true,
	}}
	return func(asked request) error {
		body, err := json.Marshal(asked)
		if err != nil {
			return errFailure
		}
		response, err := client.Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			return errFailure
		}
		defer response.Body.Close()
		var answer struct {
			OK bool `json:"ok"`
		}
		if json.NewDecoder(response.Body).Decode(&answer) != nil {
			return errFailure
		}
		if answer.OK {
			return nil
		}
		return errInvalid
	}
}

// enableAuth offers PLAIN and LOGIN. go-smtp brings a PLAIN of its own, but
// that one does not tell the backend which mechanism it was.
func enableAuth(server *smtp.Server, check checker, mail keeper) {
	login := func(conn *smtp.Conn, mechanism, username, password string) error {
		state := conn.State()
		ip, _, err := net.SplitHostPort(state.RemoteAddr.String())
		if err != nil {
			return errFailure
		}
		if err := check(request{
			Username:  username,
			Password:  password,
			Mechanism: mechanism,
			RemoteIP:  ip,
			HeloName:  state.Hostname,
		}); err != nil {
			return err
		}
		conn.SetSession(&session{mail: mail, remoteIP: ip, heloName: state.Hostname})
		return nil
	}
	server.EnableAuth(sasl.Plain, func(conn *smtp.Conn) sasl.Server {
		return sasl.NewPlainServer(func(identity, username, password string) error {
			if identity != "" && identity != username {
				return errInvalid
			}
			return login(conn, sasl.Plain, username, password)
		})
	})
	server.EnableAuth(sasl.Login, func(conn *smtp.Conn) sasl.Server {
		return sasl.NewLoginServer(func(username, password string) error {
			return login(conn, sasl.Login, username, password)
		})
	})
}
