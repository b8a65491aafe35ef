package command

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"time"

	"yinxin/ca"
	"yinxin/internal/fault"
)

type caListCommand struct {
	Data     string `required:"" help:"Data directory." placeholder:"DIR"`
	Database string `help:"Database of the data directory, if not the recorded one." placeholder:"URL" env:"YINXIN_DATABASE"`
	Profile  string `help:"Only this profile." placeholder:"PROFILE"`
	Name     string `help:"Only this common name: a seal code." placeholder:"NAME"`
	State    string `help:"Only this state: pending, failed, good, held, revoked." enum:",pending,failed,good,held,revoked" default:"" placeholder:"STATE"`
	Before   string `help:"Only those made before this time (RFC 3339): pages on." placeholder:"TIME"`
	Limit    int    `help:"At most so many, newest first, up to 1000." default:"100" placeholder:"N"`
	JSON     bool   `name:"json" help:"Print a list."`
}

// certificateResult is what list and show print as JSON.
type certificateResult struct {
	Serial    string         `json:"serial"`
	Profile   ca.Profile     `json:"profile"`
	State     ca.RecordState `json:"state"`
	Reason    *int           `json:"reason,omitempty"`
	Since     string         `json:"since,omitempty"`
	Subject   string         `json:"subject,omitempty"`
	Issuer    string         `json:"issuer,omitempty"`
	NotBefore string         `json:"not_before,omitempty"`
	NotAfter  string         `json:"not_after,omitempty"`
	Key       string         `json:"key,omitempty"`
	SM3       string         `json:"sm3,omitempty"`
	Created   string         `json:"created"`
	Approval  string         `json:"approval,omitempty"`
	PEM       string         `json:"pem,omitempty"`
}

func certificateOf(r ca.Record, withPEM bool) certificateResult {
	c := certificateResult{Serial: r.Serial.Text(16), Profile: r.Profile, State: r.State, Created: r.Created.UTC().Format(time.RFC3339Nano), Approval: r.Approval}
	if !r.Since.IsZero() {
		reason := int(r.Reason)
		c.Since, c.Reason = moment(r.Since), &reason
	}
	if r.Certificate == nil {
		return c
	}
	c.Subject, c.Issuer = r.Certificate.Subject.String(), r.Certificate.Issuer.String()
	c.NotBefore, c.NotAfter = moment(r.Certificate.NotBefore), moment(r.Certificate.NotAfter)
	c.Key, c.SM3 = keyFingerprint(r.Certificate).String(), r.Certificate.FingerprintText()
	if withPEM {
		c.PEM = string(certificatePEM(r.Certificate.Raw))
	}
	return c
}

func (c caListCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c caListCommand) run(ctx context.Context, s streams) error {
	f := ca.Filter{Profile: ca.Profile(c.Profile), Name: c.Name, Limit: min(max(c.Limit, 1), 1000)}
	if c.Before != "" {
		before, err := time.Parse(time.RFC3339Nano, c.Before)
		if err != nil {
			return errFlag.At(fault.Field("--before")).Because(err)
		}
		f.Before = before
	}
	h, err := openForReading(ctx, c.Data, c.Database, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	results := []certificateResult{}
	for len(results) < c.Limit {
		records, err := h.authority.Certificates(ctx, f)
		if err != nil {
			return err
		}
		for _, r := range records {
			if (c.State == "" || string(r.State) == c.State) && len(results) < c.Limit {
				results = append(results, certificateOf(r, false))
			}
		}
		if c.State == "" || len(records) < f.Limit {
			break
		}
		f.After = records[len(records)-1].Serial
	}
	if c.JSON {
		return printJSON(s, results)
	}
	for _, r := range results {
		fmt.Fprintf(s.out, "%-32s %-12s %-8s %s  %s\n", r.Serial, r.Profile, r.State, r.NotAfter, r.Subject)
	}
	return nil
}

type caShowCommand struct {
	Data     string `required:"" help:"Data directory." placeholder:"DIR"`
	Database string `help:"Database of the data directory, if not the recorded one." placeholder:"URL" env:"YINXIN_DATABASE"`
	Serial   string `arg:"" help:"Serial number, hexadecimal." placeholder:"SERIAL"`
	PEM      bool   `name:"pem" help:"Print the certificate only, PEM."`
	JSON     bool   `name:"json" help:"Print it as JSON."`
}

func (c caShowCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c caShowCommand) run(ctx context.Context, s streams) error {
	serial, err := parseSerial(c.Serial)
	if err != nil {
		return err
	}
	h, err := openForReading(ctx, c.Data, c.Database, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	record, err := h.authority.Certificate(ctx, serial)
	if err != nil {
		return err
	}
	switch {
	case c.JSON:
		return printJSON(s, certificateOf(record, true))
	case record.Certificate == nil:
		fmt.Fprintf(s.out, "%s %s %s: 没有证书 no certificate was released\n", record.Serial.Text(16), record.Profile, record.State)
	case c.PEM:
		_, err = s.out.Write(certificatePEM(record.Certificate.Raw))
	default:
		r := certificateOf(record, true)
		fmt.Fprintf(s.out, "%s\n  %s %s %s\n  颁发者 issuer: %s\n  %s – %s\n  密钥 key %s\n  SM3 %s\n", r.Serial, r.Profile, r.State, r.Subject, r.Issuer, r.NotBefore, r.NotAfter, r.Key, r.SM3)
		if r.Since != "" {
			fmt.Fprintf(s.out, "  %s: 自 since %s, 原因 reason %s\n", r.State, r.Since, reasonName(*r.Reason))
		}
		fmt.Fprint(s.out, r.PEM)
	}
	return err
}

// parseSerial reads a serial number as programs print it: hexadecimal, perhaps with colons.
func parseSerial(text string) (*big.Int, error) {
	serial, ok := new(big.Int).SetString(strings.NewReplacer(":", "", " ", "").Replace(strings.TrimPrefix(strings.ToLower(text), "0x")), 16)
	if !ok || len(text) > 80 || serial.Sign() <= 0 {
		return nil, errFlag.At(fault.Field("SERIAL"))
	}
	return serial, nil
}
