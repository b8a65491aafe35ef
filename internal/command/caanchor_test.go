package command

import (
	"path/filepath"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
)

// TestARootOfForeignTimeStampsIsTrustedForThoseOnly names it in the configuration.
func TestARootOfForeignTimeStampsIsTrustedForThoseOnly(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("YINXIN_PASSPHRASE", "only a test")
	here, there := filepath.Join(dir, "here"), filepath.Join(dir, "there")
	yinxin(t, 0, "init", "--data", here, "--organisation", "甲省档案局")
	yinxin(t, 0, "init", "--data", there, "--organisation", "乙省档案局")
	foreign, err := openForReading(t.Context(), there, "", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.close()
	tsa, err := foreign.authority.Current(t.Context(), ca.ProfileTSA)
	if err != nil {
		t.Fatal(err)
	}
	maker, err := foreign.authority.Current(t.Context(), ca.ProfileSealMaker)
	if err != nil {
		t.Fatal(err)
	}
	trusted := func(c *chain.Certificate, u chain.Usage) bool {
		h, err := openForReading(t.Context(), here, "", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer h.close()
		v, err := h.chain(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return v.With([]*chain.Certificate{foreign.authority.Issuing(ca.ProfileInstitution)}).Verify(t.Context(), c, time.Now(), u).Trusted
	}
	if trusted(tsa, chain.UsageTimeStamp) {
		t.Error("a foreign time stamp is trusted without being named")
	}
	c, err := readConfig(here)
	if err != nil {
		t.Fatal(err)
	}
	c.TimeStampRoots = []string{filepath.Join(there, trustName, "root.crt")}
	if err := c.write(t.Context(), here); err != nil {
		t.Fatal(err)
	}
	if !trusted(tsa, chain.UsageTimeStamp) || trusted(maker, chain.UsageSign) || trusted(maker, chain.UsageSealMaker) {
		t.Error("the root is trusted for less or more than time stamps")
	}
}
