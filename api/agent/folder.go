package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"yinxin/internal/durable"
	"yinxin/internal/fault"
	"yinxin/internal/filelock"
	"yinxin/sealer/terminal/manifest"
)

// Folder is the configuration folder of a terminal, which only its user can read:
//
//	agent.json     Config
//	keys/ID.pem    the terminal's own SM2 key for the server that knows it as ID
//	pages/         pictures of pages while a list is being sealed
//	agent.lock     held by the agent that runs
type Folder struct{ path string }

// Config is agent.json.
type Config struct {
	Device
	// Trust are certificates and revocation lists by which local files are verified after sealing: files or folders.
	Trust   []string `json:"trust,omitempty"`
	Servers []Server `json:"servers,omitempty"`
}

// Server is a server that this terminal is paired with.
type Server struct {
	URL       string    `json:"url"`
	Terminal  string    `json:"terminal"` // identifier of this terminal there
	Name      string    `json:"name"`     // of this terminal there
	Clerk     string    `json:"clerk"`    // identifier
	ClerkName string    `json:"clerk_name"`
	Key       []byte    `json:"key"`          // the server's public key for manifests, 04‖x‖y: pinned
	CA        string    `json:"ca,omitempty"` // file of CA certificates for the server's TLS certificate
	Paired    time.Time `json:"paired"`
}

const (
	configName = "agent.json"
	keysName   = "keys"
	pagesName  = "pages"
	lockName   = "agent.lock"
	maxConfig  = 1 << 20
	maxServers = 100
)

// OpenFolder opens the configuration folder, making it if it is missing. Error: agent.folder.
func OpenFolder(path string) (Folder, error) {
	f := Folder{path}
	for _, p := range []string{path, filepath.Join(path, keysName)} {
		if err := os.MkdirAll(p, 0o700); err != nil {
			return f, ErrFolder.At(fault.File(p)).Because(err)
		}
		if err := private(p); err != nil {
			return f, err
		}
	}
	return f, nil
}

// private refuses a folder that others than its owner can look into. Windows has no such bits: there the folder inherits
// the rights of the user's own.
func private(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return ErrFolder.At(fault.File(path)).Because(err)
	case !info.IsDir(), runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return ErrFolder.At(fault.File(path)).With("%v", info.Mode())
	}
	return nil
}

// Config reads the configuration; without a file it is empty. Error: agent.config.
func (f Folder) Config() (Config, error) {
	var c Config
	name := filepath.Join(f.path, configName)
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, ErrConfig.At(fault.File(name)).Because(err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err == nil && len(text) > maxConfig {
		err = errors.New("too large")
	}
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields() // a mistyped name would otherwise mean nothing
		err = d.Decode(&c)
	}
	if err != nil {
		return c, ErrConfig.At(fault.File(name)).Because(err)
	}
	for _, s := range c.Servers {
		if _, err := serverURL(s.URL); err != nil {
			return c, err
		}
		if _, err := manifest.PublicOf(s.Key); err != nil || s.Terminal == "" || s.Clerk == "" {
			return c, ErrConfig.At(fault.File(name)).With("%s", s.URL)
		}
	}
	return c, nil
}

// change reads the configuration, changes it, and replaces the file.
func (f Folder) change(ctx context.Context, do func(*Config)) error {
	c, err := f.Config()
	if err != nil {
		return err
	}
	do(&c)
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return f.write(ctx, configName, append(text, '\n'))
}

// KeepDevice keeps how the USB Key is reached, as far as it is said.
func (f Folder) KeepDevice(ctx context.Context, d Device) error {
	if d == (Device{}) {
		return nil
	}
	return f.change(ctx, func(c *Config) { c.Device = d.Or(c.Device) })
}

func (f Folder) write(ctx context.Context, name string, content []byte) error {
	name = filepath.Join(f.path, name)
	err := durable.Replace(ctx, name, 0o600, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	if err != nil && ctx.Err() == nil {
		return ErrFolder.At(fault.File(name)).Because(err)
	}
	return err
}

// Server finds the server of a URL; with an empty URL the only one there is. Error: agent.not-paired.
func (c Config) Server(url string) (Server, error) {
	if url == "" && len(c.Servers) == 1 {
		return c.Servers[0], nil
	}
	if i := slices.IndexFunc(c.Servers, func(s Server) bool { return s.URL == url }); i >= 0 {
		return c.Servers[i], nil
	}
	return Server{}, ErrNotPaired.With("%.100s", url)
}

// Forget takes a server out, with the key for it. What the server knows of this terminal stays there until somebody
// withdraws it.
func (f Folder) Forget(ctx context.Context, url string) (Server, error) {
	c, err := f.Config()
	if err != nil {
		return Server{}, err
	}
	s, err := c.Server(url)
	if err != nil {
		return s, err
	}
	err = f.change(ctx, func(c *Config) {
		c.Servers = slices.DeleteFunc(c.Servers, func(other Server) bool { return other.URL == s.URL })
	})
	if err != nil {
		return s, err
	}
	err = os.Remove(f.keyFile(s.Terminal))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return s, err
}

// Lock keeps a second agent from running in the folder: both would use the same USB Key. Call what it gives to end it.
// Error: agent.running.
func (f Folder) Lock() (unlock func(), err error) {
	name := filepath.Join(f.path, lockName)
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, ErrFolder.At(fault.File(name)).Because(err)
	}
	taken, err := filelock.Try(file)
	if err != nil {
		file.Close()
		return nil, ErrFolder.At(fault.File(name)).Because(err)
	}
	if !taken {
		file.Close()
		return nil, ErrRunning.At(fault.File(f.path))
	}
	return func() { file.Close() }, nil
}

// Path is where the folder is.
func (f Folder) Path() string { return f.path }
