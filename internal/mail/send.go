package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"yinxin/internal/fault"
)

// Send hands one mail over to the server and returns when the server has taken it. messageID is without angle brackets.
// Errors: mail.address, mail.message, mail.refused for what the server will never take, mail.unavailable, mail.tls,
// mail.login.
func (m *Mailer) Send(ctx context.Context, messageID string, message Message) error {
	if err := message.check(); err != nil {
		return err
	}
	letter, err := m.write(messageID, message)
	if err != nil {
		return ErrMessage.Because(err)
	}
	limit, err := m.timeout()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	line := &line{ctx: ctx}
	defer line.end()
	client, err := m.client(limit, line)
	if err != nil {
		return err
	}
	err = client.DialAndSendWithContext(ctx, letter)
	if letter.IsDelivered() {
		return nil // whatever happened while taking leave
	}
	return translate(ctx, err)
}

// write makes the mail of RFC 5322. go-mail encodes the subject and the name (RFC 2047) and the text (base64).
func (m *Mailer) write(messageID string, message Message) (*gomail.Msg, error) {
	letter := gomail.NewMsg(gomail.WithCharset(gomail.CharsetUTF8), gomail.WithEncoding(gomail.EncodingB64), gomail.WithNoDefaultUserAgent())
	letter.FromMailAddress(m.sender)
	if err := letter.To(message.To); err != nil {
		return nil, err
	}
	letter.Subject(message.Subject)
	letter.SetDateWithValue(m.Clock())
	letter.SetMessageIDWithValue(messageID)
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no answer from another program, please
	letter.SetBodyString(gomail.TypeTextPlain, message.Text)
	return letter, nil
}

func (m *Mailer) client(limit time.Duration, line *line) (*gomail.Client, error) {
	security := &tls.Config{ServerName: m.Host, MinVersion: tls.VersionTLS12}
	if m.Authorities != "" {
		text, err := os.ReadFile(m.Authorities)
		if err != nil {
			return nil, ErrConfig.At(fault.File(m.Authorities)).Because(err)
		}
		security.RootCAs = x509.NewCertPool()
		security.RootCAs.AppendCertsFromPEM(text)
	}
	_, domain, _ := strings.Cut(m.sender.Address, "@")
	options := []gomail.Option{gomail.WithPort(m.port()), gomail.WithTimeout(limit), gomail.WithHELO(domain), gomail.WithTLSConfig(security),
		gomail.WithoutNoop(), gomail.WithoutRset(), gomail.WithoutSMTPUTF8()}
	switch m.TLS {
	case Implicit:
		line.security = security
		options = append(options, gomail.WithSSL())
	case Plain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if m.Username != "" {
		// Never CRAM-MD5 or NTLM, which go-mail would take before PLAIN: the connection is encrypted and the server known.
		options = append(options, gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin),
			gomail.WithUsername(m.Username), gomail.WithPassword(m.Password))
	}
	options = append(options, gomail.WithDialContextFunc(line.dial))
	client, err := gomail.NewClient(m.Host, options...)
	if err != nil {
		return nil, ErrConfig.Because(err)
	}
	return client, nil
}

// line is the connection of one mail. go-mail ends its waiting by deadlines that it sets anew, and leaves a connection
// open on which it failed to log in; the line ends with the context of the mail, and at the latest with the call.
type line struct {
	ctx      context.Context
	security *tls.Config // for TLS from the first byte
	mutex    sync.Mutex
	open     []net.Conn
}

// mostRead bounds what a server may say: replies to seven commands.
const mostRead = 1 << 20

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	connection, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mutex.Lock()
	l.open = append(l.open, connection)
	l.mutex.Unlock()
	context.AfterFunc(l.ctx, func() { _ = connection.Close() })
	bounded := &boundedConn{Conn: connection, rest: io.LimitedReader{R: connection, N: mostRead}}
	if l.security == nil {
		return bounded, nil
	}
	secured := tls.Client(bounded, l.security)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", errHandshake, err)
	}
	return secured, nil
}

func (l *line) end() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, c := range l.open {
		_ = c.Close()
	}
}

type boundedConn struct {
	net.Conn
	rest io.LimitedReader
}

func (c *boundedConn) Read(b []byte) (int, error) { return c.rest.Read(b) }

var errHandshake = errors.New("TLS")

// translate names what went wrong. The cause, for the operator's log, is put together from what holds no address: the
// server's words repeat recipients.
func translate(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ErrUnavailable.Because(ctx.Err())
	}
	var s *gomail.SendError
	if errors.As(err, &s) {
		why := fmt.Errorf("%s: reply %d %s", s.Reason, s.ErrorCode(), s.EnhancedStatusCode())
		// A refused sender is a matter of the configuration, which can be mended while the mail waits.
		if code := s.ErrorCode(); code >= 500 && s.Reason != gomail.ErrSMTPMailFrom {
			return ErrRefused.With("%d", code).Because(why)
		}
		return ErrUnavailable.With("%d", s.ErrorCode()).Because(why)
	}
	var certificate *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	var network *net.OpError
	said := err.Error()
	switch {
	case errors.As(err, &certificate):
		return ErrTLS.Because(certificate)
	case errors.Is(err, errHandshake), errors.As(err, &header), strings.Contains(said, "STARTTLS"), strings.Contains(said, "tls: "):
		return ErrTLS.Because(err)
	case errors.As(err, &network):
		return ErrUnavailable.Because(network)
	case strings.Contains(said, "AUTH"), strings.Contains(said, "auth"):
		return ErrLogin.New() // without the cause: servers repeat names and more
	}
	return ErrUnavailable.New()
}
