package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/store"
)

const (
	remoteTimeout = 20 * time.Second // of one try
	remoteTries   = 3
	remotePause   = 500 * time.Millisecond // after the first try; it doubles
	maxAnswer     = 256 << 10
)

// remote is another Yinxin. Every call may be repeated: an order by its own identifier as Idempotency-Key, the others
// because they change nothing twice.
type remote struct {
	orders
	base, key string
	http      *http.Client
}

var _ Backend = (*remote)(nil)

func (*remote) Kind() Kind { return KindRemote }

// Order implements Backend. When the authority does not answer, the order is on record and Outcome tries again.
func (b *remote) Order(ctx context.Context, o Order) (Outcome, error) {
	r, err := b.open(ctx, o)
	if err != nil {
		return Outcome{}, err
	}
	// Approved and on record: an authority that is away now does not take that back.
	if after, err := b.submit(ctx, r); err == nil {
		r = after
	}
	return r.Outcome, nil
}

// Outcome implements Backend.
func (b *remote) Outcome(ctx context.Context, id string) (Outcome, error) {
	r, err := b.read(ctx, b.DB.Read(), id)
	if err != nil {
		return Outcome{}, err
	}
	if err := b.tellRevocations(ctx, id); err != nil {
		return r.Outcome, err
	}
	expired := !b.Clock().Before(r.Expires)
	switch {
	case (r.State == StateOpen || r.State == StateSent) && expired:
		r.State = StateExpired
		return r.Outcome, nil
	case r.State == StateOpen:
		r, err = b.submit(ctx, r)
	case r.State == StateSent:
		var answer WireOutcome
		if err := b.call(ctx, http.MethodGet, "/v1/certificate-requests/"+url.PathEscape(r.remote), "", nil, &answer); err != nil {
			return r.Outcome, err
		}
		r, err = b.answered(ctx, r, answer)
	}
	if r == nil {
		return Outcome{}, err
	}
	return r.Outcome, err
}

// submit records what leaves, sends it, and takes the answer.
func (b *remote) submit(ctx context.Context, r *record) (*record, error) {
	request, err := ca.ParseRequest(r.request)
	if err != nil {
		return r, err
	}
	body, err := json.Marshal(WireOrder{Profile: request.Profile, Organisation: request.Organisation, CreditCode: request.CreditCode,
		SealCode: request.SealCode, CommonName: request.CommonName, CSR: r.csr})
	if err != nil {
		return r, err
	}
	err = b.DB.Write(ctx, func(tx *store.Tx) error {
		return b.sending(ctx, tx, r.ID, "request", "http", "", sentFields(request), body)
	})
	if err != nil {
		return r, err
	}
	var answer WireOutcome
	err = b.call(ctx, http.MethodPost, "/v1/certificate-requests", r.ID, body, &answer)
	var refused *refusal
	if errors.As(err, &refused) && refused.final() {
		if err := b.refuse(ctx, "", r, refused.code); err != nil {
			return r, err
		}
		return b.read(ctx, b.DB.Read(), r.ID)
	}
	if err != nil {
		return r, err
	}
	if answer.ID == "" || len(answer.ID) > 200 {
		return r, ErrRemoteAnswer.New()
	}
	err = b.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE backend_order SET state = 'sent', remote = $1 WHERE id = $2 AND state = 'open'`, answer.ID, r.ID)
		return err
	})
	if err != nil {
		return r, err
	}
	r, err = b.read(ctx, b.DB.Read(), r.ID)
	if err != nil {
		return r, err
	}
	return b.answered(ctx, r, answer)
}

// answered takes what the authority says. The certificate is checked like one that came in a file.
func (b *remote) answered(ctx context.Context, r *record, answer WireOutcome) (*record, error) {
	if answer.ID != r.remote {
		return r, ErrRemoteAnswer.New()
	}
	switch answer.State {
	case WirePending:
		return r, nil
	case WireRefused:
		if err := b.refuse(ctx, "", r, shown(answer.Refusal)); err != nil {
			return r, err
		}
		return b.read(ctx, b.DB.Read(), r.ID)
	case WireHeld: // it may be released: until then nothing is made with it
		return r, nil
	case WireRevoked:
		if err := b.refuse(ctx, "", r, "revoked"); err != nil {
			return r, err
		}
		return b.read(ctx, b.DB.Read(), r.ID)
	case WireIssued:
		c, err := chain.ParseCertificate(answer.Certificate)
		if err != nil {
			return r, ErrRemoteAnswer.Because(err)
		}
		var above []*chain.Certificate
		for _, raw := range answer.Chain[:min(len(answer.Chain), 8)] {
			i, err := chain.ParseCertificate(raw)
			if err != nil {
				return r, ErrRemoteAnswer.Because(err)
			}
			above = append(above, i)
		}
		after, err := b.receive(ctx, "", r, c, above)
		if after == nil {
			after = r
		}
		return after, err
	}
	return r, ErrRemoteAnswer.With("%s", shown(answer.State))
}

// Revoke implements Backend. When the authority does not answer, it is told again by Outcome.
func (b *remote) Revoke(ctx context.Context, approval string, c *chain.Certificate, reason ca.Reason) error {
	v, err := b.revoke(ctx, approval, c, reason)
	if err != nil {
		return err
	}
	_ = b.tell(ctx, v) // on record: Outcome tells it again
	return nil
}

// tellRevocations tells those of an order that the authority does not know of yet.
func (b *remote) tellRevocations(ctx context.Context, order string) error {
	list, err := b.revocations(ctx, b.DB.Read(), "open")
	if err != nil {
		return err
	}
	for _, v := range list {
		if v.order != order {
			continue
		}
		if err := b.tell(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

func (b *remote) tell(ctx context.Context, v revocation) error {
	body, err := json.Marshal(WireRevocation{Reason: v.reason})
	if err != nil {
		return err
	}
	err = b.DB.Write(ctx, func(tx *store.Tx) error {
		return b.sending(ctx, tx, v.order, "revocation", "http", "", []string{"certificate", "reason"}, body)
	})
	if err != nil {
		return err
	}
	var answer WireOutcome
	if err := b.call(ctx, http.MethodPost, "/v1/certificate-requests/"+url.PathEscape(v.remote)+"/revocation", v.id, body, &answer); err != nil {
		return err
	}
	return b.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE backend_revocation SET state = 'sent' WHERE id = $1 AND state = 'open'`, v.id)
		return err
	})
}

// refusal is an answer that repeating does not change.
type refusal struct{ code string }

// final says that the authority looked at the request and will not have it. Other refusals, such as that of an address
// that does not exist, are for our officers to put right: the order waits.
func (r *refusal) final() bool {
	room, _, _ := strings.Cut(r.code, ".")
	return room == "csr" || room == "ca" || room == "number" || r.code == ErrKeyMismatch.Code || r.code == ErrRepeated.Code
}

func (r *refusal) Error() string { return "the other side answered " + r.code }

// call makes one call, up to remoteTries times while nothing but the way there is wrong. Errors: backend.remote,
// backend.remote-refused (with a refusal as cause), backend.remote-answer.
func (b *remote) call(ctx context.Context, method, path, key string, body []byte, into any) error {
	wait := remotePause
	for try := 1; ; try++ {
		again, err := b.try(ctx, method, path, key, body, into)
		if err == nil || !again || try == remoteTries {
			return err
		}
		if err := b.Pause(ctx, wait); err != nil {
			return ErrRemote.Because(err)
		}
		wait *= 2
	}
}

func (b *remote) try(ctx context.Context, method, path, key string, body []byte, into any) (again bool, err error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, b.base+path, reader)
	if err != nil {
		return false, ErrRemote.Because(err)
	}
	request.Header.Set("Authorization", "Bearer "+b.key)
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := b.http.Do(request)
	if err != nil {
		return ctx.Err() == nil, ErrRemote.Because(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return ctx.Err() == nil, ErrRemote.Because(err)
	}
	switch status := response.StatusCode; {
	case status == http.StatusTooManyRequests || status >= 500:
		return true, ErrRemote.With("HTTP %d", status)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return false, ErrRemote.With("HTTP %d", status) // our key: not for the order to suffer from
	case status >= 400:
		return false, ErrRemoteRefused.With("%s", problemCode(data)).Because(&refusal{problemCode(data)})
	case status != http.StatusOK && status != http.StatusAccepted && status != http.StatusCreated:
		return false, ErrRemoteAnswer.With("HTTP %d", status)
	}
	media, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || media != "application/json" || len(data) > maxAnswer {
		return false, ErrRemoteAnswer.New()
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, ErrRemoteAnswer.Because(err)
	}
	return false, nil
}

// problemCode is the code of a problem document (RFC 9457), in a form that may be kept.
func problemCode(data []byte) string {
	var p struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(data, &p) != nil || p.Code == "" || len(p.Code) > 100 || strings.Trim(p.Code, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
		return "no code"
	}
	return p.Code
}
