// Package release says which version of the program this is, and judges the versions that agents at terminals say they are.
//
// An agent says so in the header field User-Agent of its requests: yinxin-agent/VERSION (OS/ARCHITECTURE). That field is not
// signed, and whoever has a terminal's key can write anything there: it is good for advice to people and for nothing that is
// decided.
package release

import (
	"regexp"
	"runtime"

	"golang.org/x/mod/semver"
)

// version is stamped when the program is built: see the Makefile.
var version = unknown

// unknown is the version of a program that was built where there is no history to describe.
const unknown = "unknown"

// Version is the version of this program: as git describes it (v1.2.0, v1.2.0-4-g988866a), without any tag the time and name of
// its commit (v0.0.0-20261128025156-8d1a3a3), or "unknown".
func Version() string { return version }

// UserAgent is what an agent of this program sends.
func UserAgent() string {
	return "yinxin-agent/" + version + " (" + runtime.GOOS + "/" + runtime.GOARCH + ")"
}

// Agent is what an agent says it is; a member that is empty is not known.
type Agent struct {
	Version  string
	Platform string // as Go names it: windows/amd64
}

// MaxUserAgent is the longest User-Agent that is looked at.
const MaxUserAgent = 128

var userAgent = regexp.MustCompile(`\Ayinxin-agent/([0-9A-Za-z][0-9A-Za-z.+-]{0,63}) \(([a-z0-9]{1,16}/[a-z0-9]{1,16})\)\z`)

// ParseUserAgent reads what an agent sent. Anything that UserAgent does not write is an agent that is not known.
func ParseUserAgent(field string) Agent {
	if len(field) > MaxUserAgent {
		return Agent{}
	}
	m := userAgent.FindStringSubmatch(field)
	if m == nil {
		return Agent{}
	}
	a := Agent{Version: m[1], Platform: m[2]}
	if a.Version == unknown {
		a.Version = ""
	}
	return a
}

// Standing is how an agent stands to the oldest version that is wanted.
type Standing string

// The standings.
const (
	OK       Standing = "ok"
	Outdated Standing = "outdated"
	Unknown  Standing = "unknown" // the version is not known, or none that can be compared
)

// described is what git adds to a tag: how many commits later, which commit, whether files were changed beside. To the order of
// semantic versions that would be a version before the tag.
var described = regexp.MustCompile(`(-[0-9]+-g[0-9a-f]+)?(-dirty)?$`)

// Against judges an agent by a minimum. Where that is empty any version that is known is good enough.
func (a Agent) Against(minimum string) Standing {
	tag := described.ReplaceAllString(a.Version, "")
	switch {
	case a.Version == "", minimum != "" && !semver.IsValid(tag):
		return Unknown
	case minimum != "" && semver.Compare(tag, minimum) < 0:
		return Outdated
	}
	return OK
}

// IsVersion says whether a text can be a minimum: a semantic version with a v in front.
func IsVersion(text string) bool { return len(text) <= 64 && semver.IsValid(text) }
