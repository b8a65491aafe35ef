package backend

import (
	"context"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/access"
)

// Kind says how an authority is reached.
type Kind string

// The kinds.
const (
	KindBuiltIn Kind = "built-in" // in this process
	KindFile    Kind = "file"     // requests out, certificates in, as files
	KindRemote  Kind = "remote"   // another Yinxin over HTTP
)

// KindAcceptCertificate is the kind of approval over AcceptSubject: two people take a certificate although it says
// something else than was approved.
const KindAcceptCertificate access.Kind = "certificate.accept"

// Backend is an authority as registration sees it. Implementations are safe for concurrent use.
type Backend interface {
	Name() string
	Kind() Kind
	// Order uses the approval up and has the certificate made. Errors: those of ca.Authority.Issue; of csr.Parse;
	// backend.csr-key, backend.requested; those of the companions, which act at once or in Accept.
	Order(ctx context.Context, o Order) (Outcome, error)
	// Outcome says what became of an order, and asks the authority where that is possible: backend.order-not-found,
	// backend.remote and its sisters.
	Outcome(ctx context.Context, id string) (Outcome, error)
	// Accept takes the certificate that came back into use, with what belongs to it; afterwards the outcome is
	// StateIssued. approval is one of kind KindAcceptCertificate where there are differences, and empty otherwise.
	// Errors: backend.state, backend.differs, backend.validity; those of access.Redeem and of the companions.
	Accept(ctx context.Context, id, approval string, with ...ca.Companion) (Outcome, error)
	// Revoke ends a certificate for good: approval is one of kind access.KindRevokeCertificate over RevokeSubject. For a
	// foreign authority it is a call that the authority follows in its own time: see Status.
	Revoke(ctx context.Context, approval string, c *chain.Certificate, reason ca.Reason) error
	// RevokeSubject is what is approved for Revoke.
	RevokeSubject(c *chain.Certificate, reason ca.Reason) []byte
	// Status is the state of a certificate at a time, as its authority says it. The issuer's certificate is known here.
	Status(ctx context.Context, c *chain.Certificate, at time.Time) (chain.Status, error)
}

// Order is a certificate that two people approved.
type Order struct {
	// Approval is of kind access.KindIssueCertificate over Request.Subject() or Request.Terms().
	Approval string
	Request  ca.Request
	// CSR is the certification request of the holder (ca/csr), for Request.Public. The built-in authority can do without:
	// then whoever made the request knows who holds the key.
	CSR []byte
	// With is made with the certificate. Where it comes back later they are handed to Accept instead, and are not looked at
	// here.
	With []ca.Companion
}

// State is where an order stands.
type State string

// The states. Open, sent and received may still change.
const (
	StateOpen     State = "open"     // approved, nothing left the house
	StateSent     State = "sent"     // the authority has it
	StateReceived State = "received" // a certificate came back and waits for Accept
	StateIssued   State = "issued"
	StateRefused  State = "refused"
	StateExpired  State = "expired"
)

// Outcome is what became of an order.
type Outcome struct {
	ID      string // of the order; empty for the built-in authority, which has no orders
	Backend string
	State   State
	// Certificate is nil until one came back; Chain leads from its issuer to the anchor, which is not in it.
	Certificate *chain.Certificate
	Chain       []*chain.Certificate
	// Differences are what the certificate says otherwise than was approved.
	Differences []Difference
	Refusal     string // why the authority refused
	Created     time.Time
	Expires     time.Time // when an order without certificate ends
}

// Difference is one thing that a certificate says otherwise than was approved.
type Difference struct {
	Field string `json:"field"`
	Asked string `json:"asked"`
	Given string `json:"given"`
}

// Sending is one time that data went to an authority.
type Sending struct {
	Order    string
	Backend  string
	What     string // request, revocation
	Channel  string // file, http
	Happened time.Time
	Actor    string   // who sent the file; empty for HTTP, where the service itself does
	Fields   []string // which data were in it, by the names of ca.Request
	Digest   string   // SM3 of what was sent, hexadecimal
}
