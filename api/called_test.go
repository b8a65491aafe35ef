package api

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// called are the operations of the OpenAPI document that the tests of this package called with success.
var called = calls{seen: map[string]bool{}}

type calls struct {
	sync.Mutex
	seen    map[string]bool
	skipped bool // a test that could have called something
}

func (c *calls) note(operation string) {
	c.Lock()
	defer c.Unlock()
	c.seen[operation] = true
}

// skips notices a test that was skipped, for want of a font or a browser.
func (c *calls) skips(t *testing.T) {
	t.Cleanup(func() {
		c.Lock()
		defer c.Unlock()
		c.skipped = c.skipped || t.Skipped()
	})
}

// judge gives the exit status of tests that passed: 1 if all of them ran and left an operation uncalled.
func (c *calls) judge() int {
	c.Lock()
	defer c.Unlock()
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.bench"} {
		if flag.Lookup(name).Value.String() != "" {
			return 0
		}
	}
	if c.skipped {
		fmt.Println("not judged whether every operation was called: tests were skipped")
		return 0
	}
	missing, err := c.missing()
	if err != nil || len(missing) > 0 {
		fmt.Printf("FAIL: operations of openapi.json that no test calls with success: %s %v\n", strings.Join(missing, ", "), err)
		return 1
	}
	return 0
}

func (c *calls) missing() (list []string, err error) {
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		return nil, err
	}
	var document struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	for _, item := range document.Paths {
		for _, op := range item {
			if !c.seen[op.OperationID] {
				list = append(list, op.OperationID)
			}
		}
	}
	slices.Sort(list)
	return list, nil
}
