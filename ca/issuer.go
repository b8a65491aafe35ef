package ca

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"

	"yinxin/ca/chain"
	"yinxin/keystore"
)

const (
	// FirstIssuer is the name of the first issuing CA where the ceremony's plan gives none.
	FirstIssuer = "issuing"
	// MaxIssuers is how many issuing CAs one root may have.
	MaxIssuers = 8
	// rootID is the root among the authorities of the database.
	rootID = string(ProfileRoot)
)

// Issuer is one of the issuing CAs of an authority.
type Issuer struct {
	// ID is short: see ValidIssuerID. It stands in paths, in names of keys and in the database.
	ID          string
	Certificate *chain.Certificate
	// Profiles are what it issues; the certificates of its OCSP responder besides.
	Profiles []Profile
}

// EndProfiles are the profiles that issuing CAs divide among themselves. OCSP is not among them: the certificate of a
// responder comes from the CA for which it answers (RFC 6960 clause 4.2.2.2).
func EndProfiles() []Profile {
	return []Profile{ProfileInstitution, ProfilePersonal, ProfileEncryption, ProfileSealMaker, ProfileTSA}
}

var issuerID = regexp.MustCompile(`^[a-z][a-z0-9]{0,19}$`)

// ValidIssuerID says whether an issuing CA may be called so: 1 to 20 lower-case letters and digits of ASCII, a letter first,
// and not as the root. Without a hyphen, so that no path of one is that of another's delta list.
func ValidIssuerID(id string) bool { return id != rootID && issuerID.MatchString(id) }

// FillIssuing completes what a plan leaves out: everything of a single CA, of several the years and the first's ID and name.
func FillIssuing(given []IssuingCeremony, organisation string) []IssuingCeremony {
	list := slices.Clone(given)
	if len(list) == 0 {
		list = make([]IssuingCeremony, 1)
	}
	first := &list[0]
	first.ID, first.Name = cmp.Or(first.ID, FirstIssuer), cmp.Or(first.Name, organisation+"签发证书")
	if len(list) == 1 && first.Profiles == nil {
		first.Profiles = EndProfiles()
	}
	for n := range list {
		list[n].Years = cmp.Or(list[n].Years, ProfileIssuing.months()/12)
	}
	return list
}

// CheckIssuing gives the field of the first value that cannot be, as issuing[1].profiles[2], and the value where the field
// does not tell which; no field where everything can be. What a name may contain is for Establish to say.
func CheckIssuing(list []IssuingCeremony, rootName string, rootYears int) (field, value string) {
	if len(list) == 0 || len(list) > MaxIssuers {
		return "issuing", ""
	}
	ids, names, issued := map[string]bool{}, map[string]bool{rootName: true}, map[Profile]bool{}
	for n, i := range list {
		field := fmt.Sprintf("issuing[%d].", n)
		switch {
		case !ValidIssuerID(i.ID) || ids[i.ID]:
			return field + "id", i.ID
		case i.Name == "" || names[i.Name]:
			return field + "name", ""
		case i.Years < MinIssuingYears || i.Years > MaxIssuingYears || i.Years >= rootYears:
			return field + "years", ""
		case len(i.Profiles) == 0:
			return field + "profiles", ""
		}
		ids[i.ID], names[i.Name] = true, true
		for at, p := range i.Profiles {
			if issued[p] || !slices.Contains(EndProfiles(), p) {
				return fmt.Sprintf("%sprofiles[%d]", field, at), string(p)
			}
			issued[p] = true
		}
	}
	for _, p := range EndProfiles() {
		if !issued[p] {
			return "issuing", string(p) // nobody issues it
		}
	}
	return "", ""
}

// issuingCA is an issuing CA at work.
type issuingCA struct {
	Issuer
	key     keystore.Key // nil when opened for reading only
	urls    issuerData
	answers answerCache
}

// keyOf is the name of a key of an issuing CA in the keystore: of the first the plain one, of another with its ID.
func keyOf(name, id string) string {
	if id == FirstIssuer {
		return name
	}
	return name + "-" + id
}

// issuerData is what certificates say of an issuing CA, but for the address of their shard.
func (i Issuer) data(base string) issuerData {
	return issuerData{name: i.Certificate.RawSubject, keyID: i.Certificate.SubjectKeyID, cpsURL: base + PathCPS,
		crlURL: base + PathShard(i.ID, 0, false), certURL: base + PathIssuerCertificate(i.ID), ocspURL: base + PathOCSP}
}

// Issuers are the issuing CAs in the order of the ceremony's plan.
func (a *Authority) Issuers() []Issuer {
	list := make([]Issuer, len(a.issuers))
	for i, s := range a.issuers {
		list[i] = s.Issuer
	}
	return list
}

// Issuing is the certificate of the CA that issues a profile; of the first one for a profile that is not among EndProfiles.
func (a *Authority) Issuing(p Profile) *chain.Certificate { return a.serving(p).Certificate }

// IssuerOf is the certificate of the issuing CA, or of the root, by whose name a certificate was issued; nil for another's.
func (a *Authority) IssuerOf(c *chain.Certificate) *chain.Certificate {
	for _, s := range a.issuers {
		if bytes.Equal(c.RawIssuer, s.Certificate.RawSubject) {
			return s.Certificate
		}
	}
	if bytes.Equal(c.RawIssuer, a.root.RawSubject) {
		return a.root
	}
	return nil
}

func (a *Authority) serving(p Profile) *issuingCA {
	for _, s := range a.issuers {
		if slices.Contains(s.Profiles, p) {
			return s
		}
	}
	return a.issuers[0]
}

// issuerFor is the CA that issues what is requested. Of the responders, whose profile every CA issues, the key tells.
func (a *Authority) issuerFor(ctx context.Context, r Request) *issuingCA {
	if r.Profile == ProfileOCSP && a.Keys != nil {
		for _, s := range a.issuers {
			if key, err := a.Keys.Get(ctx, keyOf(KeyOCSP, s.ID)); err == nil && key.Public().Equal(r.Public) {
				return s
			}
		}
	}
	return a.serving(r.Profile)
}

// issuer finds an issuing CA: ca.no-such-issuer. The empty ID is the first's.
func (a *Authority) issuer(id string) (*issuingCA, error) {
	if id == "" {
		return a.issuers[0], nil
	}
	for _, s := range a.issuers {
		if s.ID == id {
			return s, nil
		}
	}
	return nil, ErrNoIssuer.With("%.40q", id)
}
