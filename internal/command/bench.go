package command

import "context"

type benchCommand struct {
	JSON bool `name:"json" help:"Print the figures as JSON."`
}

func (c benchCommand) Run(ctx context.Context, s streams) error { return nil }
