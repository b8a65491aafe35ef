package command

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/json"
	mrand "math/rand/v2"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
	"github.com/rogpeppe/go-internal/testscript"

	"yinxin/api"
	"yinxin/ca/csr"
	"yinxin/ca/enroll/form"
	"yinxin/fixtures"
	"yinxin/internal/civil"
	"yinxin/internal/truetype"
)

// keep VARIABLE REGEXP keeps the first group of what the last command printed.
func scriptKeep(ts *testscript.TestScript, _ bool, args []string) {
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("nothing matches %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// filled FILE CITY [MEMBER=JSON…] writes the form of a city's archive for a new seal, other members put in its place.
func scriptFilled(ts *testscript.TestScript, _ bool, args []string) {
	s := demoSeal{archive: fixtures.Archive(args[1]), seed: 5, method: form.Central}
	b, err := json.Marshal(s.filled(time.Now()))
	ts.Check(err)
	all := map[string]any{}
	ts.Check(json.Unmarshal(b, &all))
	for _, set := range args[2:] {
		member, value, _ := strings.Cut(set, "=")
		in := all
		path := strings.Split(member, ".")
		for _, name := range path[:len(path)-1] {
			in = in[name].(map[string]any)
		}
		var v any
		ts.Check(json.Unmarshal([]byte(value), &v))
		in[path[len(path)-1]] = v
	}
	b, err = json.MarshalIndent(all, "", " ")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// unitfile FILE CITY AREA [direct] writes the list of a city's archive.
func scriptUnitFile(ts *testscript.TestScript, _ bool, args []string) {
	o := fixtures.Archive(args[1])
	b, err := json.Marshal([]api.UnitInput{{Name: o.Name, CreditCode: o.CreditCode, Area: args[2], Direct: len(args) > 3, Expected: true}})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// rosterPeople are those of workbook.
func rosterPeople() []fixtures.Person {
	rng := mrand.New(mrand.NewPCG(9, 9))
	return []fixtures.Person{fixtures.MakePerson(rng), fixtures.MakePerson(rng)}
}

// workbook FILE CITY [wrong] writes a roster of two; $USER1 and $USER2 are their names.
func scriptWorkbook(ts *testscript.TestScript, _ bool, args []string) {
	o := fixtures.Archive(args[1])
	var rows []fixtures.RosterRow
	for _, p := range rosterPeople() {
		rows = append(rows, fixtures.RosterRow{Person: p, Unit: o.Name, Seal: o.Name})
	}
	ts.Setenv("USER1", rows[0].Name)
	ts.Setenv("USER2", rows[1].Name)
	ts.Setenv("IDENTITY1", rows[0].IdentityNumber)
	if len(args) > 2 {
		rows[1].IdentityNumber = wrongCheck(rows[1].IdentityNumber)
	}
	b, err := fixtures.Roster(time.Now().In(civil.China), rows...)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// card FILE writes the scan of a card.
func scriptCard(ts *testscript.TestScript, _ bool, args []string) {
	b, err := fixtures.Card(7)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// stamped PDF SCAN CITY prints a form, stamps it with the seal of a city's archive and scans it.
func scriptStamped(ts *testscript.TestScript, _ bool, args []string) {
	font, err := truetype.Find()
	ts.Check(err)
	cache, err := builtOnce()
	ts.Check(err)
	viewer, err := newViewer(cache, []string{font}, 1, false)
	ts.Check(err)
	defer viewer.Close()
	s := demoSeal{archive: fixtures.Archive(args[2]), seed: 5}
	scan, err := s.stamped(context.Background(), viewer, []byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), scan, 0o644))
}

// softwareKey signs requests as a USB Key does.
type softwareKey struct{ *sm2.PrivateKey }

func (k softwareKey) Public() *ecdsa.PublicKey { return &k.PrivateKey.PublicKey }

func (k softwareKey) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return k.PrivateKey.Sign(rand.Reader, e[:], nil)
}

// newrequest NAME makes an SM2 key, NAME.key, and a certification request of it, NAME.csr.
func scriptNewRequest(ts *testscript.TestScript, _ bool, args []string) {
	key, err := sm2.GenerateKey(rand.Reader)
	ts.Check(err)
	private, err := smx509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	request, err := csr.Create(context.Background(), softwareKey{key}, csr.Template{})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".key"), private, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".csr"), csr.PEM(request), 0o644))
}
