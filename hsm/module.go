package hsm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"yinxin/internal/fault"
)

// ModuleInfo is what a module says of itself.
type ModuleInfo struct {
	Path, Manufacturer, Description string
	Version, Cryptoki               string // "1.0", "2.40"
}

// Slot is a place for a token. Token is nil while there is none in it.
type Slot struct {
	ID                        uint
	Description, Manufacturer string
	Removable                 bool
	Token                     *TokenInfo
}

// TokenInfo is what a token says of itself before anybody has logged in.
type TokenInfo struct {
	Label, Manufacturer, Model, Serial string
	MaxSessions                        int // 0: no limit, or not told
	Initialised, PINSet                bool
	PINLow, PINFinalTry, PINLocked     bool
	// The same of the PIN of the token's security officer (SO).
	SOPINLow, SOPINFinalTry, SOPINLocked bool
	MinPIN, MaxPIN                       int // octets; 0: no limit, or not told

	flags      uint
	maxWriting int
}

// Module is a loaded PKCS#11 library. It is safe for concurrent use.
type Module struct {
	info ModuleInfo
	c    cryptoki

	lock   sync.Mutex
	inUse  map[string]bool // serial numbers of active tokens
	asking int             // calls of Slots under way
	closed bool
}

// modules are those of the process. PKCS#11 knows one application per process (C_Initialize, 5.4): who loads a library
// twice shares its sessions and its login unknowingly, so this is the one state of the package.
var modules = struct {
	sync.Mutex
	loaded map[string]*loadedModule
}{loaded: map[string]*loadedModule{}}

type loadedModule struct {
	*Module
	users int
	ours  bool // this package has initialised it, and finalises it
}

// Open loads a module, or gives the one that was loaded from the same file. Whoever opened it closes it. Errors:
// hsm.module, hsm.not-built.
func Open(path string) (*Module, error) {
	real, err := filepath.Abs(path)
	if err == nil {
		real, err = filepath.EvalSymlinks(real)
	}
	if err != nil {
		return nil, ErrModule.At(fault.File(path)).Because(err)
	}
	if info, err := os.Stat(real); err != nil || !info.Mode().IsRegular() {
		return nil, ErrModule.At(fault.File(path)).Saying("不是文件", "not a file")
	}
	return open(real, load)
}

func open(path string, load func(string) (cryptoki, error)) (*Module, error) {
	modules.Lock()
	defer modules.Unlock()
	if m := modules.loaded[path]; m != nil {
		m.users++
		return m.Module, nil
	}
	c, err := load(path)
	if _, ok := fault.Of(err); ok {
		return nil, err
	}
	if err != nil {
		return nil, ErrModule.At(fault.File(path)).Because(err)
	}
	err = c.Initialize()
	foreign := answered(err, rvInitialized)
	if err != nil && !foreign {
		c.Unload()
		return nil, ErrModule.At(fault.File(path)).With("%v", err)
	}
	info, err := c.Info()
	if err != nil {
		if !foreign {
			_ = c.Finalize()
		}
		c.Unload()
		return nil, ErrModule.At(fault.File(path)).With("%v", err)
	}
	info.Path = path
	m := &Module{info: info, c: c, inUse: map[string]bool{}}
	modules.loaded[path] = &loadedModule{Module: m, users: 1, ours: !foreign}
	return m, nil
}

// Close gives the module up; the last one who does ends it. While a token is in use, or a call in it has not come back, the
// library stays in memory and the answer is hsm.token-in-use: its code must not go away under a call.
func (m *Module) Close() error {
	modules.Lock()
	defer modules.Unlock()
	loaded := modules.loaded[m.info.Path]
	if loaded == nil || loaded.Module != m {
		return ErrClosed.New()
	}
	if loaded.users > 1 {
		loaded.users--
		return nil
	}
	m.lock.Lock()
	users := len(m.inUse) + m.asking
	m.closed = users == 0
	m.lock.Unlock()
	if users > 0 {
		return ErrTokenInUse.With("%d", users)
	}
	delete(modules.loaded, m.info.Path)
	var err error
	if loaded.ours {
		err = m.c.Finalize()
	}
	m.c.Unload()
	if err != nil {
		return ErrDevice.Because(err)
	}
	return nil
}

// Info is what the module says of itself.
func (m *Module) Info() ModuleInfo { return m.info }

// ask keeps the module in memory until done: a call into a library that was unloaded would end the process. Error: hsm.closed.
func (m *Module) ask() (done func(), err error) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.closed {
		return nil, ErrClosed.New()
	}
	m.asking++
	return func() {
		m.lock.Lock()
		defer m.lock.Unlock()
		m.asking--
	}, nil
}

// Slots lists the slots, with and without a token. Errors: hsm.device, hsm.closed.
func (m *Module) Slots() ([]Slot, error) {
	done, err := m.ask()
	if err != nil {
		return nil, err
	}
	defer done()
	ids, err := m.c.Slots()
	if err != nil {
		return nil, deviceFault(err)
	}
	var list []Slot
	for _, id := range ids {
		info, err := m.c.Slot(id)
		if err != nil {
			return nil, deviceFault(err)
		}
		slot := Slot{ID: id, Description: info.description, Manufacturer: info.manufacturer, Removable: info.removable}
		if info.present {
			token, err := m.c.Token(id)
			if answered(err, rvTokenNotPresent, rvDeviceRemoved, rvTokenNotRecognized) {
				list = append(list, slot) // pulled out since the slot was looked at, or no token that this module understands
				continue
			}
			if err != nil {
				return nil, deviceFault(err)
			}
			slot.Token = &token
		}
		list = append(list, slot)
	}
	return list, nil
}

// Selection names a token. What is empty fits any, but something must be named.
type Selection struct {
	Label, Serial string
	Slot          *uint
}

func (s Selection) String() string {
	text := ""
	if s.Label != "" {
		text += fmt.Sprintf(" %.32q", s.Label)
	}
	if s.Serial != "" {
		text += fmt.Sprintf(" #%.16s", s.Serial)
	}
	if s.Slot != nil {
		text += fmt.Sprintf(" slot %d", *s.Slot)
	}
	if text == "" {
		return ""
	}
	return text[1:]
}

func (s Selection) fits(slot Slot) bool {
	return slot.Token != nil && (s.Label == "" || s.Label == slot.Token.Label) && (s.Serial == "" || s.Serial == slot.Token.Serial) &&
		(s.Slot == nil || *s.Slot == slot.ID)
}

// find gives the one slot with the token.
func (m *Module) find(s Selection) (Slot, error) {
	slots, err := m.Slots()
	if err != nil {
		return Slot{}, err
	}
	var found []Slot
	for _, slot := range slots {
		if s.fits(slot) {
			found = append(found, slot)
		}
	}
	switch len(found) {
	case 0:
		return Slot{}, ErrTokenNotFound.With("%s", s)
	case 1:
		return found[0], nil
	}
	return Slot{}, ErrTokenAmbiguous.With("%s: %d", s, len(found))
}

// take lets one Token at a time use a token: CloseAllSessions ends those of the other, too.
func (m *Module) take(serial string) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.closed {
		return ErrClosed.New()
	}
	if m.inUse[serial] {
		return ErrTokenInUse.With("#%.16s", serial)
	}
	m.inUse[serial] = true
	return nil
}

func (m *Module) leave(serial string) {
	m.lock.Lock()
	defer m.lock.Unlock()
	delete(m.inUse, serial)
}

// deviceFault gives what a module answered its code.
func deviceFault(err error) error {
	if _, ok := fault.Of(err); ok || err == nil {
		return err
	}
	if answered(err, rvTokenNotPresent, rvDeviceRemoved) {
		return ErrRemoved.Because(err)
	}
	var rv returnValue
	if errors.As(err, &rv) {
		return ErrDevice.With("%v", rv).Because(err)
	}
	return ErrDevice.Because(err)
}

func versionText(major, minor byte) string { return fmt.Sprintf("%d.%d", major, minor) }
