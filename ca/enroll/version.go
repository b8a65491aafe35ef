package enroll

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// planKind is what is asked for when an application was examined.
const planKind = access.KindApproveApplication

// version is one edit of an application, opened.
type version struct {
	form    form.Application // with its personal fields
	roster  string           // enroll_roster, or empty
	subject []byte
	digest  string
	by      string
}

// subject is what two people approve of an application, in one fixed form:
//
//	{"type":"yinxin application version 1","application":"app_…","version":3,"form":{…},"roster":"sm3","attachments":[{"kind":"form","digest":"sm3"},…]}
//
// form is form.Application.Public; the roster's digest is empty where there is none; attachments are in the order in which
// they were added.
type subject struct {
	Type        string          `json:"type"`
	Application string          `json:"application"`
	Version     int             `json:"version"`
	Form        json.RawMessage `json:"form"`
	Roster      string          `json:"roster"`
	Attachments []attached      `json:"attachments"`
}

type attached struct {
	Kind   AttachmentKind `json:"kind"`
	Digest string         `json:"digest"`
}

const subjectType = "yinxin application version 1"

func (s subject) encode() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// loadVersion reads the version of an application that counts.
func (s *Service) loadVersion(ctx context.Context, q store.Querier, r *record) (version, error) {
	var v version
	var public, sealed []byte
	err := q.QueryRowContext(ctx, `SELECT content, sealed, COALESCE(roster, ''), subject, digest, by FROM enroll_version WHERE application = $1 AND version = $2`,
		r.id, r.version).Scan(&public, &sealed, &v.roster, &v.subject, &v.digest, &v.by)
	if errors.Is(err, sql.ErrNoRows) {
		return v, ErrNotFound.New()
	}
	if err != nil {
		return v, err
	}
	personal, err := s.Safe.Open(sealed, versionContext(r.id, r.version)...)
	if err != nil {
		return v, err
	}
	defer clear(personal)
	if v.form, err = form.Join(public, personal); err != nil {
		return v, err
	}
	return v, v.intact(ctx, q, r, public)
}

// intact compares what is stored of a version with what two people approve of it: whoever can write rows must not have
// something else examined, approved or carried out than the digest says. Error: enroll.altered.
func (v version) intact(ctx context.Context, q store.Querier, r *record, public []byte) error {
	sub := subject{Type: subjectType, Application: r.id, Version: r.version, Form: public}
	var err error
	if sub.Roster, err = rosterDigest(ctx, q, v.roster); err != nil {
		return err
	}
	if sub.Attachments, err = attachedTo(ctx, q, r.id); err != nil {
		return err
	}
	text, err := sub.encode()
	if err != nil {
		return err
	}
	digest := sm3.Sum(v.subject)
	if !bytes.Equal(text, v.subject) || hex.EncodeToString(digest[:]) != v.digest {
		return ErrAltered.New()
	}
	return nil
}

// attachedTo are the attachments of an application as they are approved.
func attachedTo(ctx context.Context, q store.Querier, application string) ([]attached, error) {
	present, err := readAttachments(ctx, q, application)
	list := []attached{}
	for _, a := range present {
		list = append(list, attached{a.Kind, a.Digest})
	}
	return list, err
}

func versionContext(application string, version int) []string {
	return []string{"enroll_version", application + "/" + strconv.Itoa(version), "sealed"}
}

// addVersion makes the next version of an application, with the attachments that are there now, and lets the record
// point to it. Whatever was examined, approved or confirmed of the one before is void already: see reopen.
func (s *Service) addVersion(ctx context.Context, tx *store.Tx, r *record, f form.Application, roster, by string, now time.Time) error {
	r.version++
	f.Number = r.number
	var err error
	if f.Personal, err = f.Personal.Salted(s.Random); err != nil {
		return err
	}
	public := f.Public()
	plain := f.Personal.Encode()
	defer clear(plain)
	sealed, err := s.Safe.Seal(plain, versionContext(r.id, r.version)...)
	if err != nil {
		return err
	}
	sub := subject{Type: subjectType, Application: r.id, Version: r.version, Form: public}
	if sub.Roster, err = rosterDigest(ctx, tx, roster); err != nil {
		return err
	}
	if sub.Attachments, err = attachedTo(ctx, tx, r.id); err != nil {
		return err
	}
	text, err := sub.encode()
	if err != nil {
		return err
	}
	digest := sm3.Sum(text)
	r.inkVersion, r.inkBy, r.reading = 0, "", form.Reading{}
	r.unitName, r.sealName, r.businesses = f.Unit.Name, f.Seal.Name, joinBusinesses(f.Businesses)
	_, err = tx.ExecContext(ctx, `INSERT INTO enroll_version (application, version, content, sealed, roster, subject, digest, created, by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		r.id, r.version, public, sealed, orNull(roster), text, hex.EncodeToString(digest[:]), store.Time(now), by)
	return err
}

// sameForm reports whether two forms say the same: what was stamped on paper is still what stands here.
func sameForm(a, b form.Application) bool {
	for _, f := range []*form.Application{&a, &b} {
		*f = f.Tidied()
		f.Number, f.Agreement, f.Personal.Salt = "", form.Agreement{}, ""
	}
	return bytes.Equal(a.Public(), b.Public())
}

func joinBusinesses(list []form.Business) string {
	words := make([]string, len(list))
	for i, b := range list {
		words[i] = string(b)
	}
	return strings.Join(words, " ")
}

func splitBusinesses(text string) []form.Business {
	var list []form.Business
	for _, word := range strings.Fields(text) {
		list = append(list, form.Business(word))
	}
	return list
}
