package fault

import (
	"strings"
	"sync"

	"yinxin/docs"
)

// Find gives the sentences of a code of the program, for codes that were stored without them. The kind is left Internal: the code
// says what happened once, not to whoever asks now.
func Find(code string) (Spec, bool) {
	s, ok := table()[code]
	return s, ok
}

// table reads the table of the documentation, which a test holds equal to the code.
var table = sync.OnceValue(func() map[string]Spec {
	all := map[string]Spec{}
	for line := range strings.Lines(docs.Errors) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if code, ok := strings.CutPrefix(cells[0], "| `"); ok && len(cells) == 4 {
			code = strings.TrimSuffix(code, "`")
			all[code] = Spec{Code: code, ZH: cells[2], EN: strings.TrimSuffix(cells[3], " |")}
		}
	}
	return all
})
