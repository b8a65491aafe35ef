package command

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"yinxin/hsm"
	"yinxin/internal/fault"
	"yinxin/keystore"
)

var errTokenSetting = fault.Spec{Kind: fault.Invalid, Code: "config.tokens",
	ZH: "配置文件中的密码设备（tokens）设置有误。", EN: "The tokens of the configuration are not set up rightly."}

// tokenSetting is a member of tokens in config.json: an HSM on which keys of the service live. Its PIN stands in a file or in
// a variable of the environment, never in the configuration.
type tokenSetting struct {
	Name        string             `json:"name"`               // by which the files of keys refer to it
	Module      string             `json:"module"`             // the vendor's PKCS#11 library
	Profile     string             `json:"profile"`            // the vendor profile
	Profiles    string             `json:"profiles,omitempty"` // folder with more profiles, in the data directory or absolute
	Label       string             `json:"label,omitempty"`    // of the token
	Serial      string             `json:"serial,omitempty"`
	PINFile     string             `json:"pin_file,omitempty"`     // in the data directory or absolute; its first line
	PINVariable string             `json:"pin_variable,omitempty"` // of the environment
	Sessions    int                `json:"sessions,omitempty"`     // signatures under way at the same time; 0 is 8
	Purposes    []keystore.Purpose `json:"purposes,omitempty"`     // whose new keys are made there
}

// devices are the tokens of an installation, in the order of the configuration.
type devices []*device

// device is a token that is activated when it is first needed. What is wrong with the configuration keeps an installation from
// opening; what is wrong with a device or its driver does not: everything that needs none of its keys goes on, and whoever
// needs one is told to come again. A refused PIN is not tried a second time by the same process.
type device struct {
	setting tokenSetting
	config  hsm.Config
	clock   func() time.Time

	lock    sync.Mutex
	token   *hsm.Token
	module  *hsm.Module
	failed  error         // of the last try
	until   time.Time     // before which there is no other one
	pause   time.Duration // how long that is
	opening *opening
	closed  bool
}

// opening is one try to activate a token; all who need it wait for the same.
type opening struct {
	done  chan struct{}
	token *hsm.Token
	err   error
}

// How long a device that failed is left alone: twice as long each time.
const (
	firstDevicePause   = time.Second
	longestDevicePause = 30 * time.Second
)

// deviceFarewell is how long the end of an installation waits for a try that is under way.
const deviceFarewell = 5 * time.Second

// attachTokens lets the keystore use the tokens of the configuration; none is touched yet. Error: config.tokens.
func (h *installation) attachTokens() error {
	taken := map[keystore.Purpose]bool{}
	for i, setting := range h.config.Tokens {
		d, err := h.device(setting)
		if err == nil && slices.ContainsFunc(h.devices, func(other *device) bool { return other.setting.Name == setting.Name }) {
			err = errTokenSetting.With("name")
		}
		if err == nil {
			err = h.keys.AttachLater(setting.Name, d.give)
		}
		for _, p := range setting.Purposes {
			if err == nil && taken[p] {
				err = errTokenSetting.With("purposes: %s", p)
			}
			taken[p] = true
		}
		if err == nil {
			err = h.keys.MakeOn(setting.Name, setting.Purposes...)
		}
		if err != nil {
			return errTokenSetting.With("tokens[%d]%s", i, fault.Reason(err)).At(fault.File(filepath.Join(h.dir, configName))).Because(err)
		}
		h.devices = append(h.devices, d)
	}
	return nil
}

func (h *installation) device(t tokenSetting) (*device, error) {
	if t.Module == "" || t.Profile == "" || t.Label == "" && t.Serial == "" || (t.PINFile == "") == (t.PINVariable == "") || t.Sessions < 0 || t.Sessions > 1024 {
		return nil, errTokenSetting.With("module, profile, label | serial, pin_file | pin_variable, sessions 0 … 1024")
	}
	profiles, err := hsm.ReadProfiles(h.inside(t.Profiles))
	if err != nil {
		return nil, err
	}
	profile, err := profiles.Named(t.Profile)
	if err != nil {
		return nil, err
	}
	if !profile.SignsDigests() {
		return nil, keystore.ErrTokenUnfit.With("%s", profile.Name)
	}
	file := h.inside(t.PINFile)
	return &device{setting: t, clock: h.now, config: hsm.Config{Token: hsm.Selection{Label: t.Label, Serial: t.Serial}, Profile: profile, Clock: h.now, Sessions: t.Sessions,
		PIN: func(context.Context) ([]byte, error) { return devicePIN(file, t.PINVariable) }}}, nil
}

// inside is a path of the configuration: in the data directory, or absolute. Empty stays empty.
func (h *installation) inside(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(h.dir, name)
}

func devicePIN(file, variable string) ([]byte, error) {
	if file == "" {
		return bytes.Clone([]byte(os.Getenv(variable))), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return firstLine(bufio.NewReaderSize(f, maxPIN+3))
}

// give is the token, activated if it was not yet, or why it cannot be used now.
func (d *device) give(ctx context.Context) (*hsm.Token, error) {
	d.lock.Lock()
	if d.closed {
		d.lock.Unlock()
		return nil, hsm.ErrClosed.New()
	}
	if d.token != nil {
		defer d.lock.Unlock()
		return d.token, nil
	}
	if d.opening == nil {
		if err := d.notYet(); err != nil {
			d.lock.Unlock()
			return nil, err
		}
		d.opening = &opening{done: make(chan struct{})}
		go d.open(d.opening)
	}
	o := d.opening
	d.lock.Unlock()
	select {
	case <-o.done:
		return o.token, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// notYet is the last failure while there is no other try. The caller holds d.lock.
func (d *device) notYet() error {
	f, ok := fault.Of(d.failed)
	if !ok {
		return nil
	}
	if f.Kind == fault.Denied { // the PIN: a try costs one of few
		return f
	}
	if wait := d.until.Sub(d.clock()); wait > 0 {
		return f.RetryIn(wait)
	}
	return nil
}

// open is one try. It has no context: a call in a module ends when the module lets it.
func (d *device) open(o *opening) {
	module, token, err := d.activate()
	d.lock.Lock()
	defer d.lock.Unlock()
	defer close(o.done)
	d.opening = nil
	if err == nil && d.closed {
		err = errors.Join(hsm.ErrClosed.New(), token.Close(), module.Close())
	}
	if err == nil {
		d.module, d.token, d.failed, d.pause = module, token, nil, 0
		o.token = token
		return
	}
	d.pause = min(max(2*d.pause, firstDevicePause), longestDevicePause)
	d.until = d.clock().Add(d.pause)
	d.failed = err
	o.err = err
	if f, ok := fault.Of(err); ok && f.Kind != fault.Denied {
		o.err = f.RetryIn(d.pause)
	}
}

// activate loads the module and logs in. What a driver or a device does is for the caller a reason to come again.
func (d *device) activate() (*hsm.Module, *hsm.Token, error) {
	pin, err := d.config.PIN(context.Background())
	clear(pin)
	if err != nil || len(pin) == 0 { // nothing reached the token: this may be mended while the service runs
		return nil, nil, keystore.ErrTokenWaits.With("%s", explain(errNoPIN.Because(err)).Code).Because(err)
	}
	module, err := hsm.Open(d.setting.Module)
	if err != nil {
		return nil, nil, unavailable(err)
	}
	token, err := hsm.Activate(context.Background(), module, d.config)
	if err != nil {
		return nil, nil, errors.Join(unavailable(err), module.Close())
	}
	return module, token, nil
}

// unavailable leaves what is passing or concerns the PIN as it is; the rest, a driver that does not load, say, is no
// mistake of whoever wants a signature.
func unavailable(err error) error {
	f, ok := fault.Of(err)
	if ok && (f.Kind == fault.Unavailable || f.Kind == fault.Denied) {
		return f
	}
	return hsm.ErrDevice.With("%s", explain(err).Code).Because(err)
}

// active is the token if it is in use, and otherwise what the last try said, if there was one.
func (d *device) active() (*hsm.Token, error) {
	d.lock.Lock()
	defer d.lock.Unlock()
	return d.token, d.failed
}

// close ends the use of the tokens.
func (list devices) close() error {
	var all []error
	for _, d := range list {
		all = append(all, d.close())
	}
	return errors.Join(all...)
}

func (d *device) close() error {
	d.lock.Lock()
	d.closed = true
	o, token, module := d.opening, d.token, d.module
	d.token = nil
	d.lock.Unlock()
	if o != nil {
		timer := time.NewTimer(deviceFarewell)
		defer timer.Stop()
		select {
		case <-o.done: // which has closed what it opened
		case <-timer.C:
		}
	}
	if token == nil {
		return nil
	}
	return errors.Join(token.Close(), module.Close())
}

// warm activates the tokens while the service starts, so that the first who seals does not wait, and says how it went. It
// tries until the token is there or a person is needed.
func (d *device) warm(ctx context.Context, keys *keystore.Store, log *slog.Logger) {
	said := ""
	for {
		token, err := d.give(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			log.Info("token in use", "token", d.setting.Name, "serial", token.Info().Serial)
			d.testKeys(ctx, keys, log)
			return
		}
		if text := err.Error(); text != said { // not the same line every half minute
			said = text
			log.Error("token not in use", "token", d.setting.Name, "error", err)
		}
		f, ok := fault.Of(err)
		if !ok || f.Kind == fault.Denied {
			return
		}
		timer := time.NewTimer(max(f.RetryAfter(), firstDevicePause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// testKeys runs the self-test of every key that the keystore has on the token. One that fails is not used; it is said now, and
// not to the first who wants a seal.
func (d *device) testKeys(ctx context.Context, keys *keystore.Store, log *slog.Logger) {
	all, err := keys.List(ctx)
	if err != nil {
		log.Error("keys of the token not tested", "token", d.setting.Name, "error", err)
		return
	}
	for _, k := range all {
		if k.Token != d.setting.Name || k.State == keystore.StateDestroyed {
			continue
		}
		if err := keys.Check(ctx, k.Name); err != nil && ctx.Err() == nil {
			log.Error("key not in use", "token", d.setting.Name, "key", k.Name, "error", err)
		}
	}
}
