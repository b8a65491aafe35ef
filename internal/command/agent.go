package command

import (
	"os"
	"path/filepath"
	"runtime"

	"yinxin/api/agent"
	"yinxin/internal/truetype"
)

type agentCommand struct {
	Pair    agentPairCommand    `cmd:"" help:"Pair this terminal with a server, by the code on the page of one's terminals."`
	Run     agentRunCommand     `cmd:"" help:"Seal what servers have prepared for the clerk."`
	Offer   agentOfferCommand   `cmd:"" name:"offer-key" help:"Offer a server a USB Key to sign in with."`
	Servers agentServersCommand `cmd:"" help:"List the servers that this terminal is paired with."`
	Unpair  agentUnpairCommand  `cmd:"" help:"End the pairing with a server."`
	Seal    agentSealCommand    `cmd:"" help:"Seal a local file with the seal on a USB Key, without a server."`
}

// agentFlags say where the terminal's settings are, and who is asked how.
type agentFlags struct {
	Folder string `help:"Configuration folder of the terminal (default: yinxin in the user's own)." placeholder:"DIR" env:"YINXIN_AGENT"`
	Desk   string `help:"Ask in dialogs or in the terminal: ${enum}." enum:"auto,dialog,terminal" default:"auto" placeholder:"WHERE"`

	Module   string `help:"PKCS#11 library of the USB Key (default: of agent.json)." placeholder:"PATH" env:"YINXIN_PKCS11_MODULE" group:"USB Key"`
	Vendor   string `help:"Vendor profile of the USB Key, as --profile of yinxin token." placeholder:"NAME" env:"YINXIN_PKCS11_PROFILE" group:"USB Key"`
	Profiles string `name:"vendor-profiles" help:"Folder with vendor profiles." placeholder:"DIR" env:"YINXIN_PKCS11_PROFILES" group:"USB Key"`
	Token    string `help:"Label or serial number of the USB Key, where several are inserted." placeholder:"NAME" group:"USB Key"`
}

// open gives the folder with its configuration; flags count more than it.
func (f agentFlags) open() (agent.Folder, agent.Config, error) {
	path := f.Folder
	if path == "" {
		own, err := os.UserConfigDir()
		if err != nil {
			return agent.Folder{}, agent.Config{}, err
		}
		path = filepath.Join(own, "yinxin")
	}
	folder, err := agent.OpenFolder(path)
	if err != nil {
		return folder, agent.Config{}, err
	}
	c, err := folder.Config()
	c.Device = f.device().Or(c.Device)
	return folder, c, err
}

// openAlone is open for a command that nothing else may work in the folder beside; unlock ends that.
func (f agentFlags) openAlone() (folder agent.Folder, c agent.Config, unlock func(), err error) {
	if folder, c, err = f.open(); err != nil {
		return folder, c, nil, err
	}
	unlock, err = folder.Lock()
	return folder, c, unlock, err
}

// device is what the flags say of the USB Key.
func (f agentFlags) device() agent.Device {
	return agent.Device{Module: f.Module, Profile: f.Vendor, Profiles: f.Profiles, Token: f.Token}
}

// desk is where the person is asked: in dialogs where there is a display, else in the terminal, unless a flag says so. A
// question is on standard error, so that results can be taken from standard output.
func (f agentFlags) desk(s streams) (agent.Desk, error) {
	if f.Desk != "terminal" {
		d, err := agent.NewDialogs(agent.OpenViewer)
		if err == nil || f.Desk == "dialog" {
			return d, err
		}
	}
	return agent.NewPrompt(s.in, s.err, agent.OpenViewer), nil
}

// agentFonts serve text whose font is not in the document, where this machine has one with Chinese.
func agentFonts() (font string, fonts []string) {
	font, err := truetype.Find()
	if err == nil {
		return font, []string{font}
	}
	if runtime.GOOS == "windows" {
		for _, name := range []string{"simhei.ttf", "msyh.ttf", "simfang.ttf"} {
			path := filepath.Join(os.Getenv("WINDIR"), "Fonts", name)
			if _, err := os.Stat(path); err == nil {
				return path, []string{path}
			}
		}
	}
	return "", nil
}
