package terminal_test

import (
	"strings"
	"testing"
	"time"

	"yinxin/internal/release"
)

func TestTheAgentIsRecordedAsTheTerminalIsPairedAndSeen(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		recorded := func(b *box, version, platform string, standing release.Standing) {
			t.Helper()
			list, err := w.service.Terminals(t.Context(), w.clerk)
			must(t, err)
			for _, one := range list {
				if one.ID == b.id && (one.Agent != release.Agent{Version: version, Platform: platform} || one.Standing != standing) {
					t.Errorf("%+v, want %s %s %s", one, version, platform, standing)
				}
			}
		}
		w.service.MinimumAgent = "v1.2.0"
		w.agent = "yinxin-agent/v1.1.0 (windows/amd64)"
		b := w.pair(w.clerk)
		recorded(b, "v1.1.0", "windows/amd64", release.Outdated)
		if at := b.at(); at.Standing != release.Outdated {
			t.Errorf("%+v", at)
		}
		if tasks, err := w.service.Waiting(t.Context(), b.at(), 0); err != nil || tasks.Agent == nil || tasks.Agent.Minimum != "v1.2.0" {
			t.Errorf("%+v, %v", tasks, err)
		}
		task := w.ask(1) // work goes on
		m := b.prepare(task.ID, b.claim(task.ID).Items[0])
		_, err := w.service.Complete(t.Context(), b.at(), b.sign(m))
		must(t, err)
		for _, c := range []struct {
			agent, version, platform string
			standing                 release.Standing
			advised                  int
		}{
			{"yinxin-agent/v1.2.0 (linux/arm64)", "v1.2.0", "linux/arm64", release.OK, 0}, // within the minute
			{"yinxin-agent/unknown (linux/arm64)", "", "linux/arm64", release.Unknown, 1},
			{"yinxin-agent/v1.3.0 (linux/arm64)", "v1.3.0", "linux/arm64", release.OK, 0},
			{"yinxin-agent/v1.1.0'); DROP TABLE terminal; -- (linux/arm64)", "", "", release.Unknown, 1},
			{"yinxin-agent/v" + strings.Repeat("9", 100_000) + " (linux/arm64)", "", "", release.Unknown, 1},
		} {
			w.agent = c.agent
			if at := b.at(); at.Standing != c.standing {
				t.Errorf("%.60s: %+v", c.agent, at)
			}
			recorded(b, c.version, c.platform, c.standing)
			if tasks, err := w.service.Waiting(t.Context(), b.at(), 0); err != nil || tasks.Agent != nil {
				t.Errorf("%+v, %v", tasks, err)
			}
			if n, err := w.service.CountAdvised(t.Context(), w.clerk); err != nil || n != c.advised {
				t.Errorf("%.60s: %d, %v", c.agent, n, err)
			}
		}
		w.now = w.now.Add(time.Hour)
		w.agent = "yinxin-agent/v1.1.0 (windows/amd64)"
		b.at()
		w.service.MinimumAgent = ""
		recorded(b, "v1.1.0", "windows/amd64", release.OK)
		if n, err := w.service.CountAdvised(t.Context(), w.clerk); err != nil || n != 0 {
			t.Errorf("%d, %v", n, err)
		}
	})
}
