package register

import (
	"bytes"
	"sync"
)

// madeLimit bounds the instances that are kept, each with its seal and picture: some ten megabytes.
const madeLimit = 256

// madeInstances are those that were used last, by their IDs. What was made never changes, so that an entry only goes to make room;
// its state is not kept. The seals and pictures are shared: nobody writes into them.
type madeInstances struct {
	mutex  sync.RWMutex
	byID   map[string]Instance
	byCode map[string][]string // IDs
}

func (m *madeInstances) get(id string) (Instance, bool) {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	in, known := m.byID[id]
	return in, known
}

// has says that one of those that are kept is exactly this seal for the code; where it says no, the database is to be asked.
func (m *madeInstances) has(code string, seal []byte) bool {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	for _, id := range m.byCode[code] {
		if s := m.byID[id].Seal; s != nil && bytes.Equal(s, seal) {
			return true
		}
	}
	return false
}

// keep keeps an instance that was in use, which has its seal.
func (m *madeInstances) keep(in Instance) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if _, known := m.byID[in.ID]; known {
		return
	}
	if m.byID == nil || len(m.byID) >= madeLimit { // those that are in use come back at once
		m.byID, m.byCode = make(map[string]Instance), make(map[string][]string)
	}
	m.byID[in.ID] = in
	m.byCode[in.SealCode] = append(m.byCode[in.SealCode], in.ID)
}
