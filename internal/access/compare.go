package access

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// DifferenceCode says in what way requests and approvals are not what the ledger tells of them. The codes are stable.
type DifferenceCode string

const (
	// RequestUnrecorded: there is a request that nobody made according to the ledger; RequestMissing: the ledger tells of
	// one that is not there; RequestChanged: kind, content, requester, plan or moment are others.
	RequestUnrecorded DifferenceCode = "request-unrecorded"
	RequestMissing    DifferenceCode = "request-missing"
	RequestChanged    DifferenceCode = "request-changed"
	// ApprovalUnrecorded, ApprovalMissing, ApprovalChanged: the same for the consent of the second person.
	ApprovalUnrecorded DifferenceCode = "approval-unrecorded"
	ApprovalMissing    DifferenceCode = "approval-missing"
	ApprovalChanged    DifferenceCode = "approval-changed"
	// UseUnrecorded: an approval is used up and the ledger does not know when; UseUndone: it is as if unused although the
	// ledger tells of its use; UseChanged: it was used at another moment, or more than once.
	UseUnrecorded DifferenceCode = "use-unrecorded"
	UseUndone     DifferenceCode = "use-undone"
	UseChanged    DifferenceCode = "use-changed"
	// RejectionUnrecorded, RejectionUndone: a rejection that the ledger does not know, or that is not there any more.
	RejectionUnrecorded DifferenceCode = "rejection-unrecorded"
	RejectionUndone     DifferenceCode = "rejection-undone"
	// VoidUnrecorded, VoidUndone: the same for requests that were made void.
	VoidUnrecorded DifferenceCode = "void-unrecorded"
	VoidUndone     DifferenceCode = "void-undone"
)

// Difference is one way in which a request is not what the ledger tells of it.
type Difference struct {
	Code    DifferenceCode `json:"code"`
	Request string         `json:"request"`
}

func (d Difference) String() string { return fmt.Sprintf("%s: %s", d.Code, d.Request) }

// differenceLimit bounds what Compare lists.
const differenceLimit = 100

// Comparison is what Compare found.
type Comparison struct {
	Requests    int64        `json:"requests"`
	Approvals   int64        `json:"approvals"`
	Differences []Difference `json:"differences"` // by request, at most 100
	Omitted     int64        `json:"omitted"`
}

// Compare holds every request and approval against the ledger, and every entry of the ledger about them against the
// tables, on one state of the database. That the ledger itself is whole is for ledger.Verify to say. When an approval
// expires is not compared: only prolongations are on record. db may be opened for reading only.
func Compare(ctx context.Context, db *store.DB) (Comparison, error) {
	c := comparer{told: map[string]*story{}}
	err := db.Snapshot(ctx, func(q store.Querier) error {
		err := ledger.EachOfKinds(ctx, q, func(e ledger.Entry) error { c.hear(e); return nil },
			"approval.requested", "approval.granted", "approval.rejected", "approval.used", "approval.voided")
		if err != nil {
			return err
		}
		return c.compare(ctx, q)
	})
	for id, s := range c.told {
		if !s.seen {
			c.differ(RequestMissing, id)
		}
	}
	slices.SortFunc(c.found, func(a, b Difference) int {
		return strings.Compare(a.Request+" "+string(a.Code), b.Request+" "+string(b.Code))
	})
	c.found = slices.Compact(c.found)
	c.result.Differences = c.found
	if n := len(c.found); n > differenceLimit {
		c.result.Differences, c.result.Omitted = c.found[:differenceLimit:differenceLimit], int64(n-differenceLimit)
	}
	return c.result, err
}

// story is what the ledger tells of one request.
type story struct {
	requested, granted, used []string // kind, people and moment of each event
	rejected, voided         bool
	seen                     bool // the request is there
}

type comparer struct {
	told   map[string]*story
	found  []Difference
	result Comparison
}

func (c *comparer) differ(code DifferenceCode, id string) {
	c.found = append(c.found, Difference{code, id})
}

func facts(parts ...string) string { return strings.Join(parts, "\x00") }

func (c *comparer) hear(e ledger.Entry) {
	s := c.told[e.Subject]
	if s == nil {
		s = &story{}
		c.told[e.Subject] = s
	}
	at := store.Time(e.Time)
	switch e.Kind {
	case "approval.requested":
		s.requested = append(s.requested, facts(e.Data["kind"], e.Data["digest"], e.Actor, e.Data["plan"], at))
	case "approval.granted":
		s.granted = append(s.granted, facts(e.Data["kind"], e.Data["requester"], e.Actor, at))
	case "approval.used":
		s.used = append(s.used, facts(e.Data["kind"], e.Actor, e.Data["approver"], at))
	case "approval.rejected":
		s.rejected = true
	case "approval.voided":
		s.voided = true
	}
}

// row is a request with its approval, if it has one.
type row struct {
	id, kind, requester, state, created, parent string
	subject                                     []byte
	digest                                      string
	voided, given, used                         bool
	approvalKind, approvalDigest                sql.NullString
	approvalRequester, approver, approved, when sql.NullString
}

func (c *comparer) compare(ctx context.Context, q store.Querier) error {
	return store.Each(ctx, q, func(scan func(...any) error) error {
		var r row
		err := scan(&r.id, &r.kind, &r.subject, &r.digest, &r.requester, &r.state, &r.created, &r.parent, &r.voided, &r.given,
			&r.approvalKind, &r.approvalDigest, &r.approvalRequester, &r.approver, &r.approved, &r.used, &r.when)
		if err == nil {
			c.row(r)
		}
		return err
	}, `SELECT r.id, r.kind, r.subject, r.digest, r.requester, r.state, r.created, COALESCE(r.parent, ''), r.voided IS NOT NULL, a.id IS NOT NULL,
		a.kind, a.digest, a.requester, a.approver, a.approved, COALESCE(a.used, 0) = 1, a.used_at
		FROM access_request r LEFT JOIN access_approval a ON a.id = r.id ORDER BY r.id`)
}

func (c *comparer) row(r row) {
	c.result.Requests++
	told, plan := c.told[r.id], c.told[r.parent]
	if told == nil {
		told = &story{}
	}
	if plan == nil {
		plan = &story{}
	}
	told.seen = true
	c.is(r.id, true, told.requested, facts(r.kind, digestText(r.subject), r.requester, r.parent, r.created), RequestUnrecorded, "", RequestChanged)
	if r.digest != digestText(r.subject) {
		c.differ(RequestChanged, r.id)
	}
	if r.given {
		c.result.Approvals++
		if r.approvalDigest.String != r.digest || r.state != "approved" {
			c.differ(ApprovalChanged, r.id)
		}
	} else if r.state == "approved" && len(told.granted) == 0 {
		c.differ(ApprovalMissing, r.id)
	}
	c.is(r.id, r.given, told.granted, facts(r.approvalKind.String, r.approvalRequester.String, r.approver.String, r.approved.String),
		ApprovalUnrecorded, ApprovalMissing, ApprovalChanged)
	c.is(r.id, r.used, told.used, facts(r.approvalKind.String, r.approvalRequester.String, r.approver.String, r.when.String),
		UseUnrecorded, UseUndone, UseChanged)
	// Rejecting a plan and making it void is told once, of the plan.
	c.either(r.id, r.state == "rejected", told.rejected || plan.rejected, RejectionUnrecorded, RejectionUndone)
	c.either(r.id, r.voided, told.voided || plan.voided, VoidUnrecorded, VoidUndone)
}

// is compares what is there with the one event that must tell of it.
func (c *comparer) is(id string, there bool, told []string, want string, unrecorded, missing, changed DifferenceCode) {
	switch {
	case there && len(told) == 0:
		c.differ(unrecorded, id)
	case !there && len(told) > 0:
		c.differ(missing, id)
	case there && (len(told) > 1 || told[0] != want):
		c.differ(changed, id)
	}
}

func (c *comparer) either(id string, there, told bool, unrecorded, undone DifferenceCode) {
	switch {
	case there && !told:
		c.differ(unrecorded, id)
	case !there && told:
		c.differ(undone, id)
	}
}
