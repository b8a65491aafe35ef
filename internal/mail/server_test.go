package mail_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// server is an SMTP server (RFC 5321) that does what a test asks for.
type server struct {
	t        testing.TB
	listener net.Listener
	security *tls.Config
	pem      string // file with its certificate

	implicit   bool
	noSTARTTLS bool
	login      string            // "user password": demanded before MAIL
	replies    map[string]string // instead of its own, by command: "RCPT": "550 no such user"
	silent     bool              // accepts the connection and says nothing
	endless    bool              // greets without end

	wrote atomic.Int64 // bytes of an endless greeting

	mutex sync.Mutex
	mails []delivery
	lines []string // of the clients, outside of DATA
	came  chan delivery
}

type delivery struct {
	from, to, data string
	encrypted      bool
}

func serveMail(t testing.TB, change func(s *server)) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, listener: listener, came: make(chan delivery, 100)}
	s.security, s.pem = certificate(t)
	if change != nil {
		change(s)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				s.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		all.Wait()
	})
	return s
}

func (s *server) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

func (s *server) serve(c net.Conn) {
	encrypted := false
	if s.implicit {
		c, encrypted = tls.Server(c, s.security), true
	}
	in := bufio.NewReader(c)
	say := func(reply string) { fmt.Fprintf(c, "%s\r\n", reply) }
	if s.silent {
		_, _ = in.ReadByte() // until the other side hangs up
		return
	}
	for s.endless {
		n, err := fmt.Fprintf(c, "220-%s\r\n", strings.Repeat("hello ", 100))
		if s.wrote.Add(int64(n)); err != nil {
			return
		}
	}
	say("220 test ESMTP")
	var d delivery
	in = bufio.NewReader(c)
	loggedIn := s.login == ""
	for {
		text, err := in.ReadString('\n')
		if err != nil {
			return
		}
		text = strings.TrimRight(text, "\r\n")
		s.mutex.Lock()
		s.lines = append(s.lines, text)
		s.mutex.Unlock()
		verb, rest, _ := strings.Cut(text, " ")
		verb = strings.ToUpper(verb)
		if reply, ok := s.replies[verb]; ok {
			say(reply)
			continue
		}
		switch verb {
		case "EHLO":
			say("250-test")
			if !encrypted && !s.noSTARTTLS {
				say("250-STARTTLS")
			}
			if s.login != "" {
				say("250-AUTH CRAM-MD5 PLAIN LOGIN")
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go on")
			c, encrypted = tls.Server(c, s.security), true
			in = bufio.NewReader(c)
		case "AUTH":
			_, initial, _ := strings.Cut(rest, " ")
			b, _ := base64.StdEncoding.DecodeString(initial)
			if got := strings.Split(string(b), "\x00"); len(got) == 3 && got[1]+" "+got[2] == s.login && encrypted {
				loggedIn = true
				say("235 welcome")
				continue
			}
			say("535 user " + string(b) + " is not known")
		case "MAIL":
			if !loggedIn {
				say("530 log in first")
				continue
			}
			d = delivery{from: rest, encrypted: encrypted}
			say("250 ok")
		case "RCPT":
			d.to += rest
			say("250 ok")
		case "DATA":
			say("354 go on")
			for {
				text, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if text == ".\r\n" {
					break
				}
				d.data += strings.TrimPrefix(text, ".")
			}
			if reply, ok := s.replies["."]; ok {
				say(reply)
				continue
			}
			s.mutex.Lock()
			s.mails = append(s.mails, d)
			s.mutex.Unlock()
			s.came <- d
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *server) said() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return strings.Join(s.lines, "\n")
}

// certificate makes a self-signed certificate for 127.0.0.1 and a file with it.
func certificate(t testing.TB) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "server.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, name
}
