package release

import (
	"runtime"
	"strings"
	"testing"
)

func TestAnAgentIsReadBackAndNothingElse(t *testing.T) {
	defer func(before string) { version = before }(version)
	for v, read := range map[string]string{"v1.2.0": "v1.2.0", "v1.2.0-4-g988866a-dirty": "v1.2.0-4-g988866a-dirty", "988866a": "988866a", "unknown": ""} {
		version = v
		if a := ParseUserAgent(UserAgent()); a.Version != read || a.Platform != runtime.GOOS+"/"+runtime.GOARCH {
			t.Errorf("%s: %+v", v, a)
		}
	}
	for _, hostile := range []string{
		"", "Go-http-client/1.1", "yinxin-agent/v1.2.0", "yinxin-agent/ (linux/amd64)", "yinxin-agent/v1 (linux)", "yinxin-agent/v1 (Linux/amd64)",
		"yinxin-agent/v1.2.0 (linux/amd64)\n", "yinxin-agent/v1.2.0 (linux/amd64) x", " yinxin-agent/v1.2.0 (linux/amd64)",
		"yinxin-agent/<script>alert(1)</script> (linux/amd64)", "yinxin-agent/v1.2.0\x00 (linux/amd64)", "yinxin-agent/=1+1 (linux/amd64)", "yinxin-agent/版本 (linux/amd64)",
		"yinxin-agent/v" + strings.Repeat("1", 64) + " (linux/amd64)", "yinxin-agent/v1 (" + strings.Repeat("a", 17) + "/amd64)", strings.Repeat("yinxin-agent/v1.2.0 ", 1<<16),
	} {
		if a := ParseUserAgent(hostile); a != (Agent{}) {
			t.Errorf("%.60q: %+v", hostile, a)
		}
	}
}

func TestAnAgentIsJudgedByTheMinimum(t *testing.T) {
	for _, c := range []struct {
		version, minimum string
		want             Standing
	}{
		{"v1.2.0", "", OK}, {"988866a", "", OK}, {"", "", Unknown},
		{"v1.2.0", "v1.2.0", OK}, {"v1.2", "v1.2.0", OK}, {"v1.10.0", "v1.9.9", OK}, {"v2.0.0", "v1.9.9", OK},
		{"v1.1.9", "v1.2.0", Outdated}, {"v1.9.9", "v1.10.0", Outdated}, {"v1.2.0-rc.1", "v1.2.0", Outdated}, {"v1.2.0-rc.1-4-g988866a", "v1.2.0", Outdated},
		{"v1.2.0-4-g988866a", "v1.2.0", OK}, {"v1.2.0-dirty", "v1.2.0", OK}, {"v1.2.0-4-g988866a-dirty", "v1.2.0", OK}, {"v1.1.0-40-g988866a", "v1.2.0", Outdated},
		{"", "v1.2.0", Unknown}, {"988866a", "v1.2.0", Unknown}, {"1234567", "v1.2.0", Unknown}, {"1.2.0", "v1.2.0", Unknown}, {"v1.2.0.0", "v1.2.0", Unknown}, {"v01.2.0", "v1.2.0", Unknown},
		{"v99999999999999999999999999999999", "v1.2.0", OK},
		{"v0.0.0-20261128025156-8d1a3a3", "v0.0.0-20261128025156-8d1a3a3", OK}, {"v0.0.0-20261127235959-fffffff", "v0.0.0-20261128025156-8d1a3a3", Outdated},
		{"v0.0.0-20261129000000-0000000-dirty", "v0.0.0-20261128025156-8d1a3a3", OK}, {"v0.0.0-20261128025156-8d1a3a3", "v1.0.0", Outdated},
	} {
		if got := (Agent{Version: c.version}).Against(c.minimum); got != c.want {
			t.Errorf("%q against %q: %s, want %s", c.version, c.minimum, got, c.want)
		}
	}
	for text, is := range map[string]bool{"v1.2.0": true, "v1": true, "v1.2.0-rc.1": true, "": false, "1.2.0": false, "v1.2.0 ": false, "latest": false, "v1." + strings.Repeat("1", 64): false} {
		if IsVersion(text) != is {
			t.Errorf("%q: %v", text, !is)
		}
	}
}
