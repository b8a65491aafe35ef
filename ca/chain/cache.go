package chain

import (
	"bytes"
	"sync"
)

// checks remembers the outcome of signature checks. What is remembered does not depend on time or trust: only that these
// octets are, or are not, signed by that key. The key is a digest of everything the check depended on, so that a
// certificate that repeats another's issuer and serial number has an entry of its own.
//
// It is bounded by two generations: when the young one is full it becomes the old one, and what was not asked for since
// is forgotten.
type checks struct {
	mutex      sync.Mutex
	young, old map[checkKey]checked
	read       map[string]*Certificate // by DER
}

// remembered bounds the certificates that are kept parsed, and longest their size in bytes.
const (
	remembered = 256
	longest    = 8 << 10
)

func (c *checks) certificate(der []byte) (*Certificate, error) {
	c.mutex.Lock()
	found := c.read[string(der)]
	c.mutex.Unlock()
	if found != nil {
		return found, nil
	}
	parsed, err := ParseCertificate(bytes.Clone(der))
	if err != nil || len(der) > longest {
		return parsed, err
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.read == nil || len(c.read) >= remembered {
		c.read = make(map[string]*Certificate, remembered)
	}
	c.read[string(der)] = parsed
	return parsed, nil
}

// generation is the size of one of the two generations: about 2 MB at most together.
const generation = 4096

type checkKey struct {
	subject, key [32]byte // what was signed with its value, and the public key with its algorithm
}

type checked struct {
	notes []string
	err   error
}

func (c *checks) get(key checkKey) (checked, bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if found, ok := c.young[key]; ok {
		return found, true
	}
	found, ok := c.old[key]
	if ok {
		c.put(key, found)
	}
	return found, ok
}

func (c *checks) set(key checkKey, outcome checked) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.put(key, outcome)
}

// put needs the mutex.
func (c *checks) put(key checkKey, outcome checked) {
	if c.young == nil || len(c.young) >= generation {
		c.old, c.young = c.young, make(map[checkKey]checked)
	}
	c.young[key] = outcome
}
