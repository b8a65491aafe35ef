package hsm

import (
	"embed"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"yinxin/internal/fault"
)

// Profile says how a vendor's tokens do SM2, which PKCS#11 does not define. RSA and ECDSA need none: there the standard
// rules. A profile is a file, see docs/tokens.md and the folder profiles.
type Profile struct {
	Name  string // of the file, without .profile
	Title string // for people

	keyType  uint
	generate mechanism
	curve    bool // the template of a new key names the curve
	sign     mechanism
	signs    bool
	input    string // what C_Sign gets: digest, z-message or message
	giveID   bool   // the mechanism's parameter is the signer's ID
	encoding string // der, raw or either
	public   string // octet-string, point, coordinates or either
}

// The words of a profile.
const (
	inputDigest   = "digest"    // e
	inputZMessage = "z-message" // Z‖M, which the token hashes
	inputMessage  = "message"   // M: the token computes Z
	either        = "either"
	encodingDER   = "der"
	encodingRaw   = "raw"
	publicOctets  = "octet-string" // DER OCTET STRING of the point, as PKCS#11 has it
	publicPoint   = "point"        // 04‖x‖y
	publicXY      = "coordinates"  // x‖y
)

const (
	profileSuffix = ".profile"
	maxProfile    = 16 << 10
	maxProfiles   = 200
)

//go:embed profiles/*.profile
var embedded embed.FS

// Profiles are the vendor profiles by name.
type Profiles map[string]Profile

// ReadProfiles gives the profiles that come with the program, and those of a folder, which count more; folder "" is none.
// Errors: hsm.profile with file and line.
func ReadProfiles(folder string) (Profiles, error) {
	inside, err := fs.Sub(embedded, "profiles")
	if err != nil {
		return nil, err
	}
	all := Profiles{}
	if err := all.add(inside); err != nil || folder == "" {
		return all, err
	}
	info, err := os.Stat(folder)
	if err == nil && !info.IsDir() {
		err = errors.New("not a folder")
	}
	if err != nil {
		return nil, ErrProfile.At(fault.File(folder)).Because(err)
	}
	return all, all.add(os.DirFS(folder))
}

func (all Profiles) add(files fs.FS) error {
	names, err := fs.Glob(files, "*"+profileSuffix)
	if err != nil {
		return err
	}
	if len(names) > maxProfiles {
		return ErrProfile.With("%d > %d", len(names), maxProfiles)
	}
	for _, name := range names {
		text, err := readProfile(files, name)
		if err != nil {
			return ErrProfile.At(fault.File(name)).Because(err)
		}
		p, err := ParseProfile(strings.TrimSuffix(name, profileSuffix), text)
		if err != nil {
			return err
		}
		all[p.Name] = p
	}
	return nil
}

func readProfile(files fs.FS, name string) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("not a file"))
	}
	return io.ReadAll(io.LimitReader(f, maxProfile+1))
}

// Named finds a profile: hsm.profile-not-found with the names that there are.
func (all Profiles) Named(name string) (Profile, error) {
	p, ok := all[name]
	if !ok {
		return p, ErrProfileNotFound.With("%.40q: %s", name, strings.Join(all.Names(), ", "))
	}
	return p, nil
}

// Names are the names of the profiles in order.
func (all Profiles) Names() []string {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// ParseProfile reads a profile: lines of "name = value", and remarks after #. Every name stands at most once, and what is
// not known is refused: a mistyped line would otherwise sign in another way than somebody meant. Errors: hsm.profile with
// the file and the line.
func ParseProfile(name string, text []byte) (Profile, error) {
	file := filepath.Base(name) + profileSuffix
	wrong := func(row int, what string) (Profile, error) {
		return Profile{}, ErrProfile.At(fault.Place{File: file, Row: row}).With("%s", what)
	}
	if len(text) > maxProfile {
		return wrong(0, "> "+strconv.Itoa(maxProfile)+" bytes")
	}
	if !validProfileName(name) {
		return wrong(0, "file name")
	}
	p := Profile{Name: name, Title: name}
	seen := map[string]bool{}
	row := 0
	for line := range strings.Lines(string(text)) {
		row++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || value == "" {
			return wrong(row, "name = value")
		}
		if seen[key] {
			return wrong(row, strconv.Quote(key)+" twice")
		}
		seen[key] = true
		if what := p.set(key, value); what != "" {
			return wrong(row, what)
		}
	}
	return p.complete(seen, wrong)
}

// set puts one line into the profile; the answer says what is wrong with it.
func (p *Profile) set(key, value string) string {
	numbers := map[string]*uint{"key_type": &p.keyType, "generate": &p.generate.number, "sign": &p.sign.number}
	words := map[string]struct {
		to   *string
		list []string
	}{
		"input":    {&p.input, []string{inputDigest, inputZMessage, inputMessage}},
		"encoding": {&p.encoding, []string{encodingDER, encodingRaw, either}},
		"public":   {&p.public, []string{publicOctets, publicPoint, publicXY, either}},
	}
	switches := map[string]*bool{"curve": &p.curve, "parameter": &p.giveID}
	spellings := map[string][]string{"curve": {"no", "yes"}, "parameter": {"none", "id"}}
	switch {
	case key == "title":
		if len(value) > 100 {
			return "title > 100 bytes"
		}
		p.Title = value
	case key == "sign" && value == "none":
	case numbers[key] != nil:
		n, err := strconv.ParseUint(value, 0, 32)
		if err != nil {
			return key + ": a number of at most 32 bits, such as 0x80008104"
		}
		*numbers[key] = uint(n)
		p.signs = p.signs || key == "sign"
	case words[key].to != nil:
		if !slices.Contains(words[key].list, value) {
			return key + ": " + strings.Join(words[key].list, ", ")
		}
		*words[key].to = value
	case switches[key] != nil:
		i := slices.Index(spellings[key], value)
		if i < 0 {
			return key + ": " + strings.Join(spellings[key], ", ")
		}
		*switches[key] = i == 1
	default:
		return strconv.Quote(key) + " is not known"
	}
	return ""
}

func (p Profile) complete(seen map[string]bool, wrong func(int, string) (Profile, error)) (Profile, error) {
	need := []string{"key_type", "generate", "curve", "sign", "public"}
	if p.signs {
		need = append(need, "input", "encoding")
	}
	for _, key := range need {
		if !seen[key] {
			return wrong(0, key+" is missing")
		}
	}
	switch {
	case !p.signs && (seen["input"] || seen["encoding"] || seen["parameter"]):
		return wrong(0, "input, encoding and parameter without sign")
	case p.giveID && p.input != inputMessage:
		return wrong(0, "parameter = id goes with input = message")
	case p.keyType == keyTypeRSA:
		return wrong(0, "key_type is that of RSA")
	case p.signs && (p.sign.number <= mechanismRSAPSS || p.sign.number >= mechanismECDSA && p.sign.number <= mechanismECDSAEnd):
		// An oracle for ECDSA on an SM2 key yields SM2 signatures on some digests: nobody can ask for one by a file.
		return wrong(0, "sign is a mechanism of ECDSA or RSA")
	case p.keyType == keyTypeEC && !p.curve:
		return wrong(0, "a key of type EC needs curve = yes")
	}
	return p, nil
}

func validProfileName(name string) bool {
	if name == "" || len(name) > 40 {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// SignsDigests reports whether tokens of this profile sign e = SM3(Z‖M), which the keys of a keystore have to.
func (p Profile) SignsDigests() bool { return p.signs && p.input == inputDigest }
