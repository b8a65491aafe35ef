package command

import (
	"context"
	"fmt"

	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/internal/access"
)

type caRevokeCommand struct {
	enrollFlags
	Certificate string `arg:"" help:"Serial number, hexadecimal; or the SM3 fingerprint, by which a certificate of another authority is known for certain." placeholder:"CERTIFICATE"`
	Reason      int    `help:"CRLReason (RFC 5280 clause 5.3.1): 0 unspecified, 1 keyCompromise, 3 affiliationChanged, 4 superseded, 5 cessationOfOperation, 9 privilegeWithdrawn." default:"0" placeholder:"N"`
	Request     bool   `help:"Ask for it: another officer must approve (yinxin approvals)." xor:"way"`
	Approval    string `help:"Revoke it, now that this request (req_…) is approved." placeholder:"ID" xor:"way"`
}

// Help is printed by --help.
func (caRevokeCommand) Help() string {
	return "Without --request and --approval nothing is changed. --request as a registrar, yinxin approvals approve as another officer, then --approval ID. " +
		"A certificate of another authority is revoked by it: over HTTP it is told at once, a licensed authority by the next yinxin ca orders send --revocations."
}

// revokedResult is what it prints as JSON.
type revokedResult struct {
	Serial    string         `json:"serial"`
	Authority string         `json:"authority"`
	SM3       string         `json:"sm3"`
	Subject   string         `json:"subject"`
	State     ca.RecordState `json:"state"`
	Request   string         `json:"request,omitempty"`
}

func (c caRevokeCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		all := k.business.Authorities
		reason := ca.Reason(c.Reason)
		result := revokedResult{}
		if c.Approval != "" {
			if err := k.needs(access.RoleRegistrar); err != nil {
				return err
			}
			if err := all.CarryOut(ctx, c.Certificate, c.Approval); err != nil {
				return err
			}
		} else {
			kind, subject, err := all.Ask(ctx, c.Certificate, backend.ChangeRevoke, reason)
			if err != nil {
				return err
			}
			if c.Request {
				if result.Request, err = k.access.Request(ctx, k.by, kind, subject); err != nil {
					return err
				}
			}
		}
		found, err := all.Find(ctx, c.Certificate)
		if err != nil {
			return err
		}
		result.Serial, result.Authority, result.State = found.Serial.Text(16), found.Authority, found.State
		result.SM3, result.Subject = found.Certificate.FingerprintText(), found.Certificate.Subject.String()
		if k.json {
			return printJSON(s, result)
		}
		fmt.Fprintf(s.out, "%s  %s  %s  %s\n", result.Serial, result.Authority, result.State, result.Subject)
		switch {
		case result.Request != "":
			fmt.Fprintf(s.out, "已申请撤销（%s），须由另一人批准 requested; another person must approve it, then it is revoked:\n  yinxin approvals approve %s\n  yinxin ca revoke %s --approval %s\n",
				reasonName(c.Reason), result.Request, c.Certificate, result.Request)
		case c.Approval == "":
			fmt.Fprintln(s.out, "未做任何更改；加 --request 提出申请。 Nothing was changed; --request asks for it.")
		}
		return nil
	})
}
