package imprint

func (s *session) photographed(g *glance) error { return nil }
