package hsm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/internal/fault"
)

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}

const goodProfile = "title = 某厂 # remark\n\nkey_type = 0x80000004\r\ngenerate = 0x80008001\ncurve = no\nsign = 2147516676\ninput = digest\nencoding = der\npublic = either"

func TestProfilesOfAFolderCountMore(t *testing.T) {
	all, err := ReadProfiles("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sansec", "tass", "koal", "westone", "westone-old", "mssince", "luna", "ep11", "standard", "softtoken"} {
		if p, err := all.Named(name); err != nil || p.Title == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	folder := t.TempDir()
	for name, text := range map[string]string{"sansec.profile": goodProfile, "new-vendor.profile": goodProfile, "README": "not one"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	more, err := ReadProfiles(folder)
	if err != nil || len(more) != len(all)+1 || more["sansec"].Title != "某厂" || more["new-vendor"].sign.number != 0x80008104 {
		t.Errorf("%d, %+v, %v", len(more), more["new-vendor"], err)
	}
	if _, err := more.Named("nobody"); codeOf(err) != ErrProfileNotFound.Code || !strings.Contains(err.Error(), "new-vendor") {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "bad.profile"), []byte(goodProfile+"\nsing = 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = ReadProfiles(folder)
	if f, ok := fault.Of(err); !ok || f.Place.File != "bad.profile" || f.Place.Row != 10 {
		t.Errorf("%v", err)
	}
	for _, path := range []string{filepath.Join(folder, "nowhere"), filepath.Join(folder, "README")} {
		if _, err := ReadProfiles(path); codeOf(err) != ErrProfile.Code {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestAProfileWithAMistakeIsRefused(t *testing.T) {
	swap := func(old, new string) string {
		if !strings.Contains(goodProfile, old) {
			t.Fatal(old)
		}
		return strings.Replace(goodProfile, old, new, 1)
	}
	for name, c := range map[string]struct {
		text string
		row  int
	}{
		"no sign":                    {swap("sign = 2147516676\n", ""), 0},
		"no public":                  {swap("\npublic = either", ""), 0},
		"no input":                   {swap("input = digest\n", ""), 0},
		"a name twice":               {swap("curve = no", "curve = no\ncurve = no"), 6},
		"a number too long":          {swap("0x80008001", "0x180008001"), 4},
		"no number":                  {swap("0x80008001", "many"), 4},
		"an unknown word":            {swap("encoding = der", "encoding = ber"), 8},
		"an unknown name":            {swap("encoding", "encodings"), 8},
		"no value":                   {swap("curve = no", "curve ="), 5},
		"no equals sign":             {swap("curve = no", "curve no"), 5},
		"an ID without message":      {swap("input = digest", "input = digest\nparameter = id"), 0},
		"signs nothing, yet input":   {swap("sign = 2147516676", "sign = none"), 0},
		"ECDSA":                      {swap("2147516676", "0x1041"), 0},
		"ECDSA with SHA-1":           {swap("2147516676", "0x1042"), 0},
		"RSA":                        {swap("2147516676", "1"), 0},
		"RSA keys":                   {swap("key_type = 0x80000004", "key_type = 0"), 0},
		"EC keys without a curve":    {swap("key_type = 0x80000004", "key_type = 3"), 0},
		"long":                       {goodProfile + strings.Repeat("\n", maxProfile), 0},
		"a title as long as a novel": {swap("某厂", strings.Repeat("x", 101)), 1},
	} {
		_, err := ParseProfile("x", []byte(c.text))
		if f, ok := fault.Of(err); !ok || f.Code != ErrProfile.Code || f.Place.Row != c.row || f.Place.File != "x.profile" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "Sansec", "a/b", strings.Repeat("x", 41)} {
		if _, err := ParseProfile(name, []byte(goodProfile)); codeOf(err) != ErrProfile.Code {
			t.Errorf("name %q: %v", name, err)
		}
	}
	if _, err := ParseProfile("x", []byte(goodProfile)); err != nil {
		t.Error(err)
	}
}

func FuzzParseProfile(f *testing.F) {
	f.Add([]byte(goodProfile))
	f.Add([]byte("sign = 0x1041\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParseProfile("x", text)
		if err == nil && p.signs && p.sign.number >= mechanismECDSA && p.sign.number <= mechanismECDSAEnd {
			t.Error("signs with ECDSA")
		}
	})
}
