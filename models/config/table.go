package config

import "spotter/models/say"

// modules by the names that YAML files use.
var modules = map[string]*module{
	"Conv":               {torch: "models.common.Conv", scaled: true, build: buildConv},
	"DWConv":             {torch: "models.common.DWConv", scaled: true, build: buildDWConv},
	"GhostConv":          {torch: "models.common.GhostConv", scaled: true, build: buildGhostConv},
	"CrossConv":          {torch: "models.common.CrossConv", scaled: true, build: buildCrossConv},
	"Focus":              {torch: "models.common.Focus", scaled: true, build: buildFocus},
	"Bottleneck":         {torch: "models.common.Bottleneck", scaled: true, build: buildBottleneck},
	"GhostBottleneck":    {torch: "models.common.GhostBottleneck", scaled: true, build: buildGhostBottleneck},
	"SPP":                {torch: "models.common.SPP", scaled: true, build: buildSPP},
	"SPPF":               {torch: "models.common.SPPF", scaled: true, build: buildSPPF},
	"C3":                 {torch: "models.common.C3", scaled: true, repeats: true, build: buildC3},
	"C3x":                {torch: "models.common.C3x", scaled: true, repeats: true, build: buildC3x},
	"C3Ghost":            {torch: "models.common.C3Ghost", scaled: true, repeats: true, build: buildC3Ghost},
	"C3SPP":              {torch: "models.common.C3SPP", scaled: true, build: buildC3SPP},
	"BottleneckCSP":      {torch: "models.common.BottleneckCSP", scaled: true, repeats: true, build: buildBottleneckCSP},
	"DWConvTranspose2d":  {torch: "models.common.DWConvTranspose2d", scaled: true, build: buildDWConvTranspose},
	"nn.ConvTranspose2d": {torch: "torch.nn.modules.conv.ConvTranspose2d", scaled: true, build: buildConvTranspose},
	"nn.Upsample":        {torch: "torch.nn.modules.upsampling.Upsample", build: buildUpsample},
	"nn.BatchNorm2d":     {torch: "torch.nn.modules.batchnorm.BatchNorm2d", build: buildBatchNorm},
	"nn.Identity":        {torch: "torch.nn.modules.linear.Identity", build: buildIdentity},
	"nn.MaxPool2d":       {torch: "torch.nn.modules.pooling.MaxPool2d", build: buildMaxPool},
	"Contract":           {torch: "models.common.Contract", build: buildContract},
	"Concat":             {torch: "models.common.Concat", many: true, lists: listConcat},
	"Detect":             {torch: "Detect", many: true, head: true, lists: listDetect},
	"Segment":            {torch: "Segment", many: true, head: true, lists: listSegment},

	"MobileNetV4ConvSmall":    mobileNet("MobileNetV4ConvSmall"),
	"MobileNetV4ConvMedium":   mobileNet("MobileNetV4ConvMedium"),
	"MobileNetV4ConvLarge":    mobileNet("MobileNetV4ConvLarge"),
	"MobileNetV4HybridMedium": mobileNet("MobileNetV4HybridMedium"),
	"MobileNetV4HybridLarge":  mobileNet("MobileNetV4HybridLarge"),
}

// unsupported modules of YOLOv5, with the reason.
var unsupported = map[string]say.Text{
	"C3TR":         say.Sprintf("it holds a transformer with as many positions as pixels"),
	"MixConv2d":    say.Sprintf("it mixes kernel sizes within one layer"),
	"Expand":       say.Sprintf("it unfolds channels into pixels"),
	"nn.ZeroPad2d": say.Sprintf("padding is part of a convolution or pool here"),
	"Classify":     say.Sprintf("a classifier has no boxes"),
}
