package backend

import "yinxin/ca"

// What goes over HTTP between two Yinxin, as JSON. Bytes are base64.

// WireOrder is the body of POST /v1/certificate-requests; the header Idempotency-Key names the order.
type WireOrder struct {
	Profile      ca.Profile `json:"profile" enum:"institution,personal,encryption"`
	Organisation string     `json:"organisation" minLength:"1" maxLength:"64" doc:"Full name of the institution, or of the unit of a person."`
	CreditCode   string     `json:"credit_code,omitempty" maxLength:"18" doc:"统一社会信用代码 of an institution."`
	SealCode     string     `json:"seal_code,omitempty" maxLength:"14" doc:"Code of the seal of an institution: 14 digits."`
	CommonName   string     `json:"common_name,omitempty" maxLength:"64" doc:"Name of a person."`
	CSR          []byte     `json:"csr" maxLength:"43692" doc:"Certification request (PKCS #10) in DER: proof that the holder has the key."`
}

// The states of a WireOutcome.
const (
	WirePending = "pending" // two people there have not decided yet
	WireIssued  = "issued"
	WireRefused = "refused"
	WireHeld    = "held" // issued, and suspended until a revocation is decided
	WireRevoked = "revoked"
)

// WireOutcome is the answer to it, and to GET /v1/certificate-requests/{id}.
type WireOutcome struct {
	ID          string   `json:"id" doc:"Identifier of the request."`
	State       string   `json:"state" enum:"pending,issued,refused,held,revoked" doc:"held: issued, and on hold until a revocation is decided."`
	Certificate []byte   `json:"certificate,omitempty" doc:"Certificate in DER."`
	Chain       [][]byte `json:"chain,omitempty" doc:"Certificates in DER from the issuer up, without the root."`
	Refusal     string   `json:"refusal,omitempty" doc:"Why it was refused: a code, or the words of the person who refused."`
}

// WireRevocation is the body of POST /v1/certificate-requests/{id}/revocation.
type WireRevocation struct {
	Reason ca.Reason `json:"reason" enum:"0,1,3,4,5,9" doc:"CRLReason (RFC 5280 5.3.1)."`
}
