package login

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/login/oidc"
	"yinxin/internal/store"
)

// MethodOIDC begins the method of a login at a provider of identities; the provider's name follows.
const MethodOIDC = "oidc:"

// Outside is somebody at a provider of identities: the claim says in which part of its answers the subject stands.
type Outside struct{ Issuer, Claim, Subject string }

// Link says that somebody at a provider is somebody here.
type Link struct {
	ID string
	Outside
	Here    bool // it was made on the machine itself
	By      string
	Created time.Time
}

// Link links somebody here to somebody at a provider, who then signs in without a password: an administrator does it, on the
// machine itself. Errors: access.role, access.actor-not-found, login.link, login.linked.
func (s *Service) Link(ctx context.Context, by access.Actor, actorID string, to Outside) (Link, error) {
	return s.link(ctx, by, actorID, to, true)
}

// LinkFromAfar is Link by an administrator from afar, who may not do it for registrars, approvers and auditors: whoever
// chooses the account by which they sign in could speak for two people. Nor does such a link let in somebody who became
// one of them later. Errors: login.link-officer, and those of Link.
func (s *Service) LinkFromAfar(ctx context.Context, by access.Actor, actorID string, to Outside) (Link, error) {
	return s.link(ctx, by, actorID, to, false)
}

func (s *Service) link(ctx context.Context, by access.Actor, actorID string, to Outside, here bool) (Link, error) {
	to.Subject = strings.TrimSpace(to.Subject)
	if !oidc.ValidSubject(to.Subject) || to.Issuer == "" || to.Claim == "" {
		return Link{}, ErrLink.At(fault.Field("subject"))
	}
	l := Link{ID: store.NewID("lnk_"), Outside: to, Here: here, By: by.ID, Created: s.Clock()}
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.administers(ctx, tx, by); err != nil {
			return err
		}
		whose, err := s.Access.ActorIn(ctx, tx, actorID)
		if err != nil {
			return err
		}
		if !here && whose.Officer() {
			return ErrLinkOfficer.With("%s", actorID)
		}
		// Who was retired may be recorded anew, as somebody else to us; the account at the provider is still theirs.
		_, err = tx.ExecContext(ctx, `UPDATE login_link SET ended = $4 WHERE issuer = $1 AND claim = $2 AND subject = $3 AND ended IS NULL
			AND actor IN (SELECT id FROM access_actor WHERE retired IS NOT NULL)`, to.Issuer, to.Claim, to.Subject, store.Time(l.Created))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO login_link (id, actor, issuer, claim, subject, here, by_whom, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			l.ID, actorID, to.Issuer, to.Claim, to.Subject, bit(here), by.ID, store.Time(l.Created))
		if store.IsUnique(err) {
			return ErrLinked.At(fault.Field("subject"))
		}
		if err != nil {
			return err
		}
		data := map[string]string{"link": l.ID, "issuer": to.Issuer, "claim": to.Claim, "subject": to.Subject, "made": "from-afar"}
		if here {
			data["made"] = "here"
		}
		return s.record(ctx, tx, "login.linked", by.ID, actorID, data)
	})
	return l, err
}

// Links lists by which accounts at providers somebody signs in: for themselves, or for an administrator. Error: access.role.
func (s *Service) Links(ctx context.Context, by access.Actor, actorID string) ([]Link, error) {
	if err := mayLook(by, actorID); err != nil {
		return nil, err
	}
	var list []Link
	err := store.Each(ctx, s.DB.Read(), func(scan func(...any) error) error {
		var l Link
		var here int
		var created string
		err := scan(&l.ID, &l.Issuer, &l.Claim, &l.Subject, &here, &l.By, &created)
		if err == nil {
			l.Here = here == 1
			l.Created, err = store.ParseTime(created)
		}
		list = append(list, l)
		return err
	}, `SELECT id, issuer, claim, subject, here, by_whom, created FROM login_link WHERE actor = $1 AND ended IS NULL ORDER BY created, id LIMIT 100`, actorID)
	return list, err
}

// Unlink ends a link and the sessions that were opened by it; an administrator does it. Errors: access.role,
// login.link-not-found.
func (s *Service) Unlink(ctx context.Context, by access.Actor, actorID, linkID string) error {
	now := store.Time(s.Clock())
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.administers(ctx, tx, by); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE login_link SET ended = $3 WHERE id = $1 AND actor = $2 AND ended IS NULL`, linkID, actorID, now)
		if err != nil {
			return err
		}
		if err := store.ExactlyOne(result, ErrLinkNotFound.New()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE login_session SET ended = $2 WHERE link = $1 AND ended IS NULL`, linkID, now); err != nil {
			return err
		}
		return s.record(ctx, tx, "login.link-ended", by.ID, actorID, map[string]string{"link": linkID})
	})
}

// ByOIDC signs in who has proved to a provider who they are, if they are somebody here. The token goes into the browser's
// cookie. Errors: login.stranger, login.retired, login.link-officer.
func (s *Service) ByOIDC(ctx context.Context, who oidc.Identity, from Origin) (Session, string, error) {
	method := MethodOIDC + who.Provider()
	var actorID, linkID string
	var here int
	var retired sql.NullString
	err := s.DB.Read().QueryRowContext(ctx, `SELECT l.id, l.actor, l.here, a.retired FROM login_link l JOIN access_actor a ON a.id = l.actor
		WHERE l.issuer = $1 AND l.claim = $2 AND l.subject = $3 AND l.ended IS NULL`, who.Issuer(), who.Claim(), who.Subject()).Scan(&linkID, &actorID, &here, &retired)
	data := map[string]string{"method": method, "address": from.Address}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		data["issuer"], data["claim"], data["subject"] = who.Issuer(), who.Claim(), who.Subject()
		return Session{}, "", s.refuse(ctx, kindStranger, "", data, ErrStranger.Saying("请把这个标识告诉管理员："+who.Subject(), "tell an administrator this identifier: "+who.Subject()))
	case err != nil:
		return Session{}, "", err
	case retired.Valid:
		data["reason"] = "retired"
		return Session{}, "", s.refuse(ctx, kindRefused, actorID, data, ErrRetired.New())
	}
	actor, err := s.Access.Actor(ctx, actorID)
	if err != nil {
		return Session{}, "", err
	}
	if here == 0 && actor.Officer() {
		data["reason"] = "officer"
		return Session{}, "", s.refuse(ctx, kindRefused, actorID, data, ErrLinkOfficer.New())
	}
	return s.openBy(ctx, actorID, proof{method: method, link: linkID}, from)
}

// kindStranger is the record of somebody who proved who they are and is nobody here.
const kindStranger = "login.stranger"

// refuse records a login that was refused, and gives the refusal.
func (s *Service) refuse(ctx context.Context, kind, actorID string, data map[string]string, refusal error) error {
	if err := s.DB.Write(ctx, func(tx *store.Tx) error { return s.record(ctx, tx, kind, actorID, actorID, data) }); err != nil {
		return err
	}
	return refusal
}
