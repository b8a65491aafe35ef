package business

import (
	"context"
	"encoding/json"

	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// actKind is what an act does.
type actKind string

const (
	actCertificate actKind = "certificate" // issue one; see certificateTerms
	actSeal        actKind = "seal"        // make an instance, with the certificate of the same group or the present one
	actGrant       actKind = "grant"       // let somebody use a seal
	actRole        actKind = "role"        // make somebody a seal user
	actRevoke      actKind = "revoke"      // a certificate
	actResume      actKind = "resume"      // a certificate on hold
	actCancel      actKind = "cancel"      // a seal
	actUnlock      actKind = "unlock"      // a USB Key
)

// phase says when an act is carried out.
type phase string

const (
	phaseIssue  phase = "issue"  // as soon as the application is approved
	phaseAccept phase = "accept" // when the holder has accepted, in the same transaction
	phaseAfter  phase = "after"  // after that, with another authority that takes its time
)

// groupCentral is what is made for the key in the service; other groups are the actors who come with a USB Key.
const (
	groupCentral = "central"
	// groupPresent precedes the actor where an instance is made for the certificate that is on the USB Key already.
	groupPresent = "present:"
)

// act is one thing that an application takes. Exactly the fields of its kind are set.
type act struct {
	Number int     `json:"-"`
	Kind   actKind `json:"kind"`
	Phase  phase   `json:"phase"`
	// Group is what is made together: groupCentral, or the actor with the USB Key.
	Group string `json:"group,omitempty"`

	Certificate *certificateTerms `json:"certificate,omitempty"`
	// Authority makes or revokes the certificate; empty: the own one.
	Authority string     `json:"authority,omitempty"`
	Seal      *SealOrder `json:"seal,omitempty"`
	Grant     *SealGrant `json:"grant,omitempty"`
	Actor     string     `json:"actor,omitempty"`   // role: who
	Serial    string     `json:"serial,omitempty"`  // revoke, resume: which certificate
	Foreign   []byte     `json:"foreign,omitempty"` // revoke: a certificate of another authority, DER
	Reason    ca.Reason  `json:"reason,omitempty"`  // revoke: why
	Code      string     `json:"code,omitempty"`    // cancel: which seal
	Token     string     `json:"token,omitempty"`   // unlock: which USB Key

	Done   bool   `json:"-"`
	Result string `json:"-"` // serial number or identifier of what was made
	Order  string `json:"-"` // at another authority, while it has not answered
	Key    string `json:"-"` // the name of the key that the order is for
	Part   string `json:"-"` // the approval, once there is one
	Spent  bool   `json:"-"` // the approval was used, and the act is not done
}

// certificateTerms is a certificate without its key.
type certificateTerms struct {
	Profile      ca.Profile `json:"profile"`
	Organisation string     `json:"organisation"`
	CreditCode   string     `json:"creditCode,omitempty"`
	SealCode     string     `json:"sealCode,omitempty"`
	CommonName   string     `json:"commonName,omitempty"`
}

func (c certificateTerms) request() ca.Request {
	return ca.Request{Profile: c.Profile, Organisation: c.Organisation, CreditCode: c.CreditCode, SealCode: c.SealCode, CommonName: c.CommonName}
}

// part is what two people approve for an act.
func (s *Service) part(a act) access.Part {
	switch a.Kind {
	case actCertificate:
		return access.Part{Kind: access.KindIssueCertificate, Subject: a.Certificate.request().Terms()}
	case actSeal:
		return access.Part{Kind: access.KindMakeSeal, Subject: s.Seals.SealTerms(*a.Seal)}
	case actGrant:
		return access.Part{Kind: access.KindGrant, Subject: s.Seals.GrantTerms(*a.Grant)}
	case actRole:
		return access.Part{Kind: access.KindGrantRole, Subject: access.GrantSubject(a.Actor, access.RoleOperator)}
	case actRevoke:
		if a.Authority != "" {
			return access.Part{Kind: access.KindRevokeCertificate, Subject: s.foreignRevocation(a)}
		}
		return access.Part{Kind: access.KindRevokeCertificate, Subject: ca.RevokeSubject(serialNumber(a.Serial), a.Reason)}
	case actResume:
		return access.Part{Kind: access.KindResumeCertificate, Subject: ca.ResumeSubject(serialNumber(a.Serial))}
	case actCancel:
		return access.Part{Kind: access.KindCancelSeal, Subject: s.Seals.CancelTerms(a.Code)}
	case actUnlock:
		return access.Part{Kind: access.KindUnlockKey, Subject: UnlockSubject(a.Token)}
	}
	panic("business: an act of unknown kind")
}

// saveActs replaces the acts of a version of an application.
func saveActs(ctx context.Context, tx *store.Tx, application string, version int, acts []act) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM business_act WHERE application = $1 AND version = $2 AND state = 'planned'`, application, version); err != nil {
		return err
	}
	for i, a := range acts {
		content, err := json.Marshal(a)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO business_act (application, version, number, kind, phase, content, state, result, ordered, key_name) VALUES ($1, $2, $3, $4, $5, $6, 'planned', '', '', '')`,
			application, version, i+1, string(a.Kind), string(a.Phase), string(content))
		if err != nil {
			return err
		}
	}
	return nil
}

// readActs gives the acts of a version in their order; plan is the request whose parts they stand on.
func readActs(ctx context.Context, q store.Querier, application string, version int, plan string) ([]act, error) {
	rows, err := q.QueryContext(ctx, `SELECT b.number, b.content, b.state = 'done', b.result, b.ordered, b.key_name, COALESCE(r.id, ''),
			b.state <> 'done' AND COALESCE(p.used, 0) = 1 FROM business_act b
		LEFT JOIN access_request r ON r.parent = $3 AND r.part = b.number
		LEFT JOIN access_approval p ON p.id = r.id
		WHERE b.application = $1 AND b.version = $2 ORDER BY b.number`, application, version, plan)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []act
	for rows.Next() {
		var a act
		var content string
		if err := rows.Scan(&a.Number, &content, &a.Done, &a.Result, &a.Order, &a.Key, &a.Part, &a.Spent); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(content), &a); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

// finish marks an act as done; of two who carry it out at once one is refused.
func (w *work) finish(ctx context.Context, tx *store.Tx, a act, result string) error {
	done, err := tx.ExecContext(ctx, `UPDATE business_act SET state = 'done', done = $1, result = $2 WHERE application = $3 AND version = $4 AND number = $5 AND state = 'planned'`,
		store.Time(w.now()), result, w.application, w.version, a.Number)
	if err != nil {
		return err
	}
	return store.ExactlyOne(done, ErrDone.New())
}

// who is the actor who gets a role or a grant.
func (a act) who() string {
	if a.Grant != nil {
		return a.Grant.Actor
	}
	return a.Actor
}
