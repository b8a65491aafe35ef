package business

import (
	"context"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// SealOrder is everything that a seal is made from; see register.Order.
type SealOrder struct {
	Code         string   `json:"code"` // 14 digits
	Name         string   `json:"name"` // exactly the text of the imprint
	FormerName   string   `json:"formerName,omitempty"`
	Organisation string   `json:"organisation"`
	CreditCode   string   `json:"creditCode"`
	Width        float64  `json:"width"`              // mm
	Height       float64  `json:"height"`             // mm
	Template     []byte   `json:"-"`                  // PNG, 600 dpi
	Picture      []byte   `json:"-"`                  // PNG, 300 dpi
	Holder       string   `json:"holder,omitempty"`   // actor of the USB Key; empty for the central instance
	Networks     []string `json:"networks,omitempty"` // 用章范围 of a new seal
	KeyName      string   `json:"-"`                  // of a central instance, in the keystore
}

// SealDraft is a seal that is made together with its certificate.
type SealDraft interface {
	ca.Companion
	// InstanceID names what Complete records; it waits until Seals.Activate.
	InstanceID() string
	// Fits refuses a certificate that Make would not take: seal.invalid-order.
	Fits(c *chain.Certificate) error
}

// SealInstance is an electronic seal in use.
type SealInstance struct {
	ID          string
	Code        string
	Holder      string // empty for the central instance
	KeyName     string
	Certificate []byte // DER
}

// RegisteredSeal is what the register says of a seal now.
type RegisteredSeal struct {
	Code, Name, Organisation, CreditCode string
	Width, Height                        float64 // mm
	Template, Picture                    []byte  // PNG: of what is in use, not of a change that waits or was objected to
	State                                string  // as in 印章状态信息; see stateCancelled
}

// stateCancelled is the state of a seal that has ended.
const stateCancelled = "cancelled"

// SealGrant lets an actor use a seal.
type SealGrant struct {
	Code  string    `json:"code"`
	Actor string    `json:"actor"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	Quota int       `json:"quota"`
}

// Seals is what this room needs of the register of seals; sealer/register implements it. Subjects are what two people
// approve for the kinds seal.make, seal.grant and seal.cancel. What takes a transaction does its work in it.
type Seals interface {
	// Registered finds a seal: seal.not-found.
	Registered(ctx context.Context, code string) (RegisteredSeal, error)
	// InstancesInUse lists the instances of a seal, the central one first.
	InstancesInUse(ctx context.Context, code string) ([]SealInstance, error)
	// InstancesOf lists the instances on the USB Key of a person, of all seals.
	InstancesOf(ctx context.Context, holder string) ([]SealInstance, error)
	// WaitingRenewal is the certificate (DER) of the instance that waits to take the place of one; nil where none does.
	WaitingRenewal(ctx context.Context, instanceID string) (der []byte, err error)
	// GrantedOnKey names the seals, but for cancelled ones, that a person has on a USB Key, or had and may still use.
	GrantedOnKey(ctx context.Context, holder string) (codes []string, err error)
	// IdleKeys names the keys of central instances that ended, where none that waits or is in use has the same.
	IdleKeys(ctx context.Context) ([]string, error)

	SealTerms(o SealOrder) []byte
	GrantTerms(g SealGrant) []byte
	CancelTerms(code string) []byte

	// PrepareSeal begins a seal under an approval over SealTerms.
	PrepareSeal(approvalID string, o SealOrder) (SealDraft, error)
	// PrepareSealRenewal begins one that repeats an instance, under the approval of that.
	PrepareSealRenewal(ctx context.Context, instanceID, keyName string) (SealDraft, error)
	// Waiting is the certificate (DER) of an instance that can still be put into use: it was not withdrawn, and what it
	// repeats is in use. Nil for any other.
	Waiting(ctx context.Context, tx *store.Tx, instanceID string) (der []byte, err error)
	// Activate puts a waiting instance into use in place of that of the same holder.
	Activate(ctx context.Context, tx *store.Tx, instanceID string) error
	// Withdraw ends an instance.
	Withdraw(ctx context.Context, tx *store.Tx, by access.Actor, instanceID, reason string) error
	// WithdrawListing ends the instances that list a certificate (DER).
	WithdrawListing(ctx context.Context, tx *store.Tx, by access.Actor, certificate []byte, reason string) error
	// GrantSeal records a grant under an approval over GrantTerms.
	GrantSeal(ctx context.Context, tx *store.Tx, approvalID string, g SealGrant) error
	// WithdrawGrants ends what an actor may do with a seal, or with all for an empty code.
	WithdrawGrants(ctx context.Context, tx *store.Tx, by access.Actor, actorID, code, reason string) (int, error)
	// CancelSeal ends a seal and its instances for good under an approval over CancelTerms.
	CancelSeal(ctx context.Context, tx *store.Tx, approvalID, code string) error
}
