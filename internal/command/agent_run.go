package command

import (
	"context"
	"fmt"
	"os"
	"time"

	"yinxin/api/agent"
	"yinxin/internal/fault"
	"yinxin/sealer/terminal/manifest"
)

type agentPairCommand struct {
	Code   string `arg:"" optional:"" help:"The code; without it, it is asked for."`
	Server string `required:"" help:"Address of the server." placeholder:"URL"`
	Name   string `help:"What people call this terminal (default: the name of the machine)." placeholder:"NAME"`
	CA     string `name:"ca" help:"CA certificates (PEM) that the server's TLS certificate is judged by (default: the system's)." placeholder:"FILE"`
	agentFlags
	JSON bool `name:"json" help:"Print the result as JSON."`
}

// Help is printed by --help.
func (agentPairCommand) Help() string {
	return "The code is valid for 5 minutes, once. What --module, --vendor and --token say is kept in agent.json."
}

func (c agentPairCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c agentPairCommand) run(ctx context.Context, s streams) error {
	folder, _, unlock, err := c.openAlone()
	if err != nil {
		return err
	}
	defer unlock()
	p := agent.Pairing{URL: c.Server, Code: c.Code, Name: c.Name, CA: c.CA}
	if p.Name == "" {
		if p.Name, err = os.Hostname(); err != nil {
			return err
		}
	}
	if p.Code == "" {
		if p.Code, err = agent.NewPrompt(s.in, s.err, nil).Line(ctx, "配对码 pairing code:"); err != nil {
			return err
		}
	}
	paired, err := folder.Pair(ctx, p, s.now)
	clock := fault.Has(err, manifest.ErrClock) && paired.URL != ""
	if err != nil && !clock {
		return err
	}
	if err := folder.KeepDevice(ctx, c.device()); err != nil {
		return err
	}
	if clock {
		fail(s, err) // paired all the same: the terminal's clock has to be set
	}
	if c.JSON {
		return printJSON(s, serverRow(paired, ""))
	}
	fmt.Fprintf(s.out, "已配对 paired: %s\n  终端 terminal  %s  %s\n  用印人 clerk  %s\n", paired.URL, paired.Terminal, paired.Name, paired.ClerkName)
	return nil
}

type agentRunCommand struct {
	Server string `help:"Only this server (default: all that this terminal is paired with)." placeholder:"URL"`
	Once   bool   `help:"Do what waits now, and end (the default)." xor:"how"`
	Watch  bool   `help:"Go on until interrupted, also when the network was away." xor:"how"`
	agentFlags
}

// Help is printed by --help.
func (agentRunCommand) Help() string {
	return "Each list is shown and asked about, then the PIN is given once. Exit status: 0 everything that waited is sealed, 3 something was refused, 1 failed or declined."
}

func (c agentRunCommand) Run(ctx context.Context, s streams) error {
	folder, config, unlock, err := c.openAlone()
	if err != nil {
		return err
	}
	defer unlock()
	if err := folder.Tidy(); err != nil {
		return err
	}
	servers := config.Servers
	if c.Server != "" || len(servers) == 0 {
		one, err := config.Server(c.Server)
		if err != nil {
			return err
		}
		servers = []agent.Server{one}
	}
	desk, err := c.desk(s)
	if err != nil {
		return err
	}
	if p, ok := desk.(*agent.Prompt); ok && c.Desk == "auto" && !p.Attended() {
		return agent.ErrNoDesk.New() // every question would be answered by the end of the input
	}
	_, fonts := agentFonts()
	viewer, err := newViewer(folder.Path(), fonts, 2, false)
	if err != nil {
		return err
	}
	defer viewer.Close()
	var agents []*agent.Agent
	for _, server := range servers {
		a, err := agent.New(agent.Agent{Folder: folder, Device: config.Device, Desk: desk, Viewer: viewer, Clock: s.now}, server)
		if err != nil {
			return err
		}
		agents = append(agents, a)
	}
	if c.Watch {
		return agent.All(ctx, agents, (*agent.Agent).Watch)
	}
	return agent.All(ctx, agents, (*agent.Agent).Once)
}

type agentServersCommand struct {
	agentFlags
	Ask  bool `help:"Ask each server whether it still knows this terminal."`
	JSON bool `name:"json" help:"Print as JSON."`
}

func (c agentServersCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

// pairedServer is what yinxin agent servers --json prints of each.
type pairedServer struct {
	URL      string `json:"url"`
	Terminal string `json:"terminal"`
	Name     string `json:"name"`
	Clerk    string `json:"clerk"`
	Paired   string `json:"paired"`
	Standing string `json:"standing,omitempty"` // with --ask: paired, or a code
}

func serverRow(s agent.Server, standing string) pairedServer {
	return pairedServer{s.URL, s.Terminal, s.Name, s.ClerkName, s.Paired.Format(time.RFC3339), standing}
}

func (c agentServersCommand) run(ctx context.Context, s streams) error {
	folder, config, err := c.open()
	if err != nil {
		return err
	}
	rows := []pairedServer{}
	for _, server := range config.Servers {
		standing := ""
		if c.Ask {
			standing = "paired"
			if _, err := folder.Standing(ctx, server, s.now); err != nil {
				standing = fault.CodeOf(err)
			}
		}
		rows = append(rows, serverRow(server, standing))
	}
	if c.JSON {
		return printJSON(s, rows)
	}
	if len(rows) == 0 {
		fmt.Fprintln(s.out, "本终端没有配对的服务器。\nThis terminal is paired with no server.")
		return nil
	}
	t := newTable(s.out)
	for _, r := range rows {
		t.row(r.URL, r.Terminal, r.Name, r.Clerk, r.Paired[:10], r.Standing)
	}
	return t.flush()
}

type agentUnpairCommand struct {
	Server string `arg:"" optional:"" help:"Address of the server; where there is only one, that."`
	Here   bool   `name:"only-here" help:"Do not tell the server, which may be gone: somebody has to end the pairing there."`
	agentFlags
}

func (c agentUnpairCommand) Run(ctx context.Context, s streams) error {
	folder, _, unlock, err := c.openAlone()
	if err != nil {
		return err
	}
	defer unlock()
	ended, err := folder.Unpair(ctx, c.Server, c.Here, s.now)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "已解除配对 unpaired: %s\n", ended.URL)
	return nil
}
