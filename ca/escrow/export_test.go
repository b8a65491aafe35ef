package escrow

// Interrupt has fn called between the steps of a change.
func (c *Centre) Interrupt(fn func(step string)) { c.interrupt = fn }
