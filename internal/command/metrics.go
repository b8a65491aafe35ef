package command

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"yinxin/hsm"
)

// tokenFigure is one figure of a token: how it is called and read.
type tokenFigure struct {
	description *prometheus.Desc
	kind        prometheus.ValueType
	read        func(hsm.Metrics) float64
}

// tokenFigures are those of hsm.Metrics. Their one label is the name that the configuration gives the token.
var tokenFigures = func() []tokenFigure {
	figure := func(name, help string, kind prometheus.ValueType, read func(hsm.Metrics) float64) tokenFigure {
		return tokenFigure{prometheus.NewDesc("yinxin_token_"+name, help, []string{"token"}, nil), kind, read}
	}
	counter, gauge := prometheus.CounterValue, prometheus.GaugeValue
	return []tokenFigure{
		figure("signatures_total", "Signatures given out.", counter, func(m hsm.Metrics) float64 { return float64(m.Signatures) }),
		figure("failures_total", "Calls that ended with an error of the device.", counter, func(m hsm.Metrics) float64 { return float64(m.Failures) }),
		figure("refused_total", "Calls that ended without the device: breaker, PIN, time.", counter, func(m hsm.Metrics) float64 { return float64(m.Refused) }),
		figure("retries_total", "Second tries after sessions were lost.", counter, func(m hsm.Metrics) float64 { return float64(m.Retries) }),
		figure("logins_total", "Tries of the PIN that reached the token.", counter, func(m hsm.Metrics) float64 { return float64(m.Logins) }),
		figure("generations_total", "Times that sessions were begun anew, the first included.", counter, func(m hsm.Metrics) float64 { return float64(m.Generations) }),
		figure("sessions_opened_total", "Sessions opened.", counter, func(m hsm.Metrics) float64 { return float64(m.SessionsMade) }),
		figure("busy_seconds_total", "Time within C_Sign, over all sessions.", counter, func(m hsm.Metrics) float64 { return m.SignBusy.Seconds() }),
		figure("waited_seconds_total", "Time that callers waited for a session.", counter, func(m hsm.Metrics) float64 { return m.Waited.Seconds() }),
		figure("sessions", "Sessions that may work side by side.", gauge, func(m hsm.Metrics) float64 { return float64(m.Sessions) }),
		figure("sessions_busy", "Sessions at work.", gauge, func(m hsm.Metrics) float64 { return float64(m.Busy) }),
		figure("paused", "1 while the token is left alone after failures.", gauge, func(m hsm.Metrics) float64 { return bit(m.Paused) }),
		figure("ready", "1 while the token is logged in; 0 also when it could not be activated.", gauge, func(m hsm.Metrics) float64 { return bit(m.Ready) }),
	}
}()

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// tokenCollector collects the figures of the tokens of an installation. It touches no device.
type tokenCollector struct{ list devices }

var _ prometheus.Collector = tokenCollector{}

// Describe is of prometheus.Collector.
func (c tokenCollector) Describe(to chan<- *prometheus.Desc) {
	for _, f := range tokenFigures {
		to <- f.description
	}
}

// Collect is of prometheus.Collector. A token that is not in use has figures that are 0: an alarm on ready covers it.
func (c tokenCollector) Collect(to chan<- prometheus.Metric) {
	for _, d := range c.list {
		var m hsm.Metrics
		if token, _ := d.active(); token != nil {
			m = token.Metrics()
		}
		for _, f := range tokenFigures {
			to <- prometheus.MustNewConstMetric(f.description, f.kind, f.read(m), d.setting.Name)
		}
	}
}

// metrics serves the figures of process and tokens. They hold no names, no documents and no keys.
func (h *installation) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), tokenCollector{h.devices})
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2})
}
