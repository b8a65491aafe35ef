package api

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

// key gives an actor another key, over HTTP, under a name of its own.
func (w *world) key(name, actor string, k NewKey) {
	w.t.Helper()
	var made MadeKey
	w.send("administrator", "POST", "/v1/actors/"+actor+"/keys", k).is(201).into(&made)
	w.keys[name] = made.Secret
}

func TestANarrowedKeyReachesItsPartOfTheAPIAlone(t *testing.T) {
	w := newWorld(t)
	for _, scope := range access.Scopes {
		for _, actor := range []string{"platform", "clerk", "registrar", "administrator"} {
			w.keys[actor+" "+scope] = got(w.access.IssueKey(t.Context(), "administrator", actor, access.KeyTerms{Label: "narrow", Only: access.Only{Scopes: []string{scope}}}))(t)
		}
	}
	reached := map[string]int{}
	for _, r := range w.server.rules {
		if r.who.anyone || r.who.terminal || r.who.page != nil {
			continue
		}
		if !slices.Contains(access.Scopes, r.who.scope) {
			t.Errorf("%s %s belongs to no part of the API: %q", r.method, r.path, r.who.scope)
			continue
		}
		reached[r.who.scope]++
		callers, _ := callersOf(r.method + " " + r.path)
		for _, actor := range []string{"platform", "clerk", "registrar", "administrator"} {
			if !slices.Contains(callers, actor) {
				continue
			}
			for _, scope := range access.Scopes {
				a := w.call(actor+" "+scope, r.method, strings.ReplaceAll(r.path, "{id}", "d_none"), nil)
				if refused := bytes.Contains(a.body, []byte(`"access.key-scope"`)); refused != (scope != r.who.scope) {
					t.Errorf("%s %s with a key for %s: %d %s", r.method, r.path, scope, a.status, a.body)
				}
			}
		}
	}
	if len(reached) != len(access.Scopes) {
		t.Errorf("parts without a route: %v", reached)
	}
}

func TestANarrowedKeySealsWithItsSealsAlone(t *testing.T) {
	w := newWorld(t)
	w.key("other seals", "platform", NewKey{Label: "narrow", Seals: []string{"29010000000099"}})
	w.key("this seal", "platform", NewKey{Label: "narrow", Seals: []string{sealCode}})
	d := w.uploaded("platform", onePage(t))
	w.order("other seals", "k", order(d.ID)).problem(403, "access.key-seal")
	w.send("other seals", "POST", "/v1/sealing-batches", object{"order": object{"seal": sealCode, "placement": object{"page": 1, "x": 20, "y": 20}}, "files": []object{{"document": d.ID}}},
		"Idempotency-Key: b").problem(403, "access.key-seal")
	w.send("other seals", "POST", "/v1/key-tasks", object{"clerk": "clerk", "items": []object{{"document": d.ID, "order": object{"seal": sealCode, "placement": object{"page": 1, "x": 20, "y": 20}}}}},
		"Idempotency-Key: t").problem(403, "access.key-seal")
	w.order("this seal", "k", order(d.ID)).is(201)
}

func TestAKeyEndsByItselfAndIsListed(t *testing.T) {
	w := newWorld(t)
	w.key("short", "platform", NewKey{Label: "short", Expires: time.Now().Add(time.Hour)})
	w.call("short", "GET", "/v1/seals", nil).is(200)
	var list struct{ Keys []APIKey }
	w.call("auditor", "GET", "/v1/actors/platform/keys", nil).is(200).into(&list)
	at := slices.IndexFunc(list.Keys, func(k APIKey) bool { return k.Label == "short" })
	if at < 0 || list.Keys[at].Used.IsZero() || list.Keys[at].Expires.IsZero() || list.Keys[at].Revoked {
		t.Fatalf("%+v", list)
	}
	must(t, w.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE access_key SET expires = $1 WHERE label = 'short'`, store.Time(time.Now().Add(-time.Minute)))
		return err
	}))
	w.call("short", "GET", "/v1/seals", nil).problem(401, "access.key-expired")
	w.send("administrator", "POST", "/v1/actors/platform/keys", NewKey{Label: "x", Expires: time.Now().Add(-time.Hour)}).problem(400, "access.key-terms")
	w.send("administrator", "POST", "/v1/actors/platform/keys", NewKey{Label: "x", Scopes: []string{"all"}}).problem(400, "access.key-terms")
	for _, officer := range []string{"registrar", "approver", "auditor"} {
		w.send("administrator", "POST", "/v1/actors/"+officer+"/keys", NewKey{Label: "x"}).problem(403, "access.key-officer")
	}
	w.send("administrator", "POST", "/v1/actors/no-one/keys", NewKey{Label: "x"}).problem(404, "access.actor-not-found")
	w.call("administrator", "DELETE", "/v1/actors/clerk/keys/"+list.Keys[at].ID, nil).problem(404, "access.key-not-found")
	w.call("administrator", "DELETE", "/v1/actors/platform/keys/"+list.Keys[at].ID, nil).is(204)
	w.call("short", "GET", "/v1/seals", nil).problem(401, "access.unknown-key")
}
