package classifier

import (
	"fmt"

	"spotter/models/config"
)

// unit is the parameters of a convolution and its BatchNorm.
type unit struct{ conv, norm string }

// names are the paths of a block's parts below the block, and of the head.
type names struct {
	conv                       unit // ConvBN
	start, expand, middle, out unit // UIB
	edge, edgeOut              unit // EdgeIB
	fused, fusedMiddle         unit // FusedIB; it ends with edgeOut
	norm                       string
	query, key, value, attnOut string
	keyDown, valueDown         unit
	gamma                      string
}

var timmNames = names{
	conv:  unit{"conv", "bn1"},
	start: unit{"dw_start.conv", "dw_start.bn"}, expand: unit{"pw_exp.conv", "pw_exp.bn"},
	middle: unit{"dw_mid.conv", "dw_mid.bn"}, out: unit{"pw_proj.conv", "pw_proj.bn"},
	edge: unit{"conv_exp", "bn1"}, edgeOut: unit{"conv_pwl", "bn2"},
	norm:  "norm",
	query: "attn.query.proj", key: "attn.key.proj", value: "attn.value.proj", attnOut: "attn.output.proj",
	keyDown: unit{"attn.key.down_conv", "attn.key.norm"}, valueDown: unit{"attn.value.down_conv", "attn.value.norm"},
	gamma: "layer_scale.gamma",
}

var tutorialNames = names{
	conv:  sequential(""),
	start: sequential("_start_dw_."), expand: sequential("_expand_conv."),
	middle: sequential("_middle_dw."), out: sequential("_proj_conv."),
	edge: sequential("block.exp_1x1."), edgeOut: sequential("block.red_1x1."),
	fused: sequential("block.exp_1x1."), fusedMiddle: sequential("block.conv_3x3."),
	norm:  "_input_norm",
	query: "multi_query_attention._query_proj.conv", key: "multi_query_attention._key_proj.conv",
	value: "multi_query_attention._value_proj.conv", attnOut: "multi_query_attention._output_proj.conv",
	keyDown:   sequential("multi_query_attention._key_dw_conv."),
	valueDown: sequential("multi_query_attention._value_dw_conv."),
	gamma:     "layer_scale._gamma",
}

// sequential is a unit as the tutorial's conv_2d names it.
func sequential(path string) unit { return unit{path + "conv", path + "BatchNorm2d"} }

func (s *Spec) names() *names {
	if s.Naming == Tutorial {
		return &tutorialNames
	}
	return &timmNames
}

// path of a block, with a dot behind it. Stages count from 0, the stem.
func (s *Spec) path(stage, index int, b *config.Block) string {
	if s.Naming == Tutorial {
		return fmt.Sprintf("%s%s.%s.", s.Prefix, s.Backbone.Stages[stage].Name, b.Name)
	}
	return fmt.Sprintf("%sblocks.%d.%d.", s.Prefix, stage-1, index)
}
