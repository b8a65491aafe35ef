package clerk

import (
	"time"

	"yinxin/api/web"
)

// absent is after how long without a word a terminal is not there: one that waits for work asks every half minute.
const absent = 5 * time.Minute

// agentState says that the clerk's terminal is not there.
type agentState struct {
	Paired bool      // one is paired
	Seen   time.Time // when one was last seen; zero: never
	Files  []web.AgentFile
}

// agentMissing is nil where a terminal of the clerk's was seen just now, or no seal is on a USB Key.
func (p pages) agentMissing(q *web.Request, seals []sealCard) (*agentState, error) {
	key := false
	for _, s := range seals {
		key = key || s.Key && s.Usable
	}
	if !key || p.Terminals == nil {
		return nil, nil
	}
	all, err := p.Terminals.Terminals(q.Context(), q.Actor)
	if err != nil {
		return nil, err
	}
	s := &agentState{Files: web.AgentFiles(p.Agents)}
	for _, t := range all {
		if !t.Ended.IsZero() {
			continue
		}
		s.Paired = true
		if t.LastSeen.After(s.Seen) {
			s.Seen = t.LastSeen
		}
	}
	if p.Clock().Sub(s.Seen) < absent {
		return nil, nil
	}
	return s, nil
}
