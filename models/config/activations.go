package config

import (
	"strings"

	"spotter/models"
	"spotter/models/say"
)

// torchActivations are the modules that an activation may be, with torch's defaults.
var torchActivations = map[string]models.Activation{
	"SiLU":        {Kind: models.ActSiLU},
	"ReLU":        {Kind: models.ActReLU},
	"ReLU6":       {Kind: models.ActReLU6},
	"LeakyReLU":   {Kind: models.ActLeakyReLU, Lo: 0.01},
	"Hardswish":   {Kind: models.ActHardSwish},
	"Hardsigmoid": {Kind: models.ActHardSigmoid, Lo: 1.0 / 6, Hi: 0.5},
	"Sigmoid":     {Kind: models.ActSigmoid},
	"Tanh":        {Kind: models.ActTanh},
	"GELU":        {Kind: models.ActGELU},
	"Identity":    {Kind: models.ActNone},
}

// parseActivation reads a call like nn.LeakyReLU(0.1) or nn.ReLU(inplace=True).
func parseActivation(v value) (models.Activation, error) {
	call := strings.TrimPrefix(strings.TrimPrefix(v.text, "torch."), "nn.")
	name, rest, found := strings.Cut(call, "(")
	act, known := torchActivations[name]
	if v.kind != text || !known || found && !strings.HasSuffix(rest, ")") {
		return act, say.Errorf("%v is no activation; known are nn.SiLU(), nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.1), "+
			"nn.Hardswish(), nn.Hardsigmoid(), nn.Sigmoid(), nn.Tanh(), nn.GELU() and nn.Identity()", v)
	}
	for _, arg := range strings.Split(strings.TrimSuffix(rest, ")"), ",") {
		key, setting, named := strings.Cut(strings.TrimSpace(arg), "=")
		if !named {
			key, setting = "", key
		}
		number, isNumber := numberOf(setting)
		switch {
		case setting == "" && !named, key == "inplace", setting == "True", setting == "False":
		case act.Kind == models.ActLeakyReLU && isNumber && (key == "" || key == "negative_slope"):
			act.Lo = float32(number.float)
		default:
			return act, say.Errorf("argument %q of %s is not understood", arg, name)
		}
	}
	return act, nil
}
