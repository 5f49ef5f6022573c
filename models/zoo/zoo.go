// Package zoo says which networks come with Spotter and which of them is the default.
package zoo

import (
	"fmt"
	"strings"

	"spotter/models"
	"spotter/models/load"
	"spotter/models/weights"
)

// Default is the ID of the network that page and commands start with.
const Default = "picodet-s-416"

// Model is a network that ships.
type Model struct {
	ID       string // for addresses and command lines
	File     string // in models/weights
	Title    string
	Task     string  // load.Detect or load.Segment
	AP       float64 // on COCO val2017, percent, as published; 0 where nobody published it
	Accuracy string  // in words
	Licence  string
	Source   string // who trained it
	Input    int    // side in pixels
	Feed     models.Feed
}

// list is every network, in the order in which the page offers them.
var list = []Model{
	{
		ID: "picodet-s-416", File: "picodet-s-416.onnx", Title: "PicoDet-S",
		Task: load.Detect, AP: 30.6, Accuracy: "mAP 30.6 on COCO, as published", Licence: "Apache-2.0", Source: "PaddleDetection", Input: 416,
		Feed: models.Feed{
			Fit: models.FitSquash, Scale: 1,
			Mean: [3]float32{123.675, 116.28, 103.53}, Std: [3]float32{58.395, 57.12, 57.375},
		},
	},
	{
		ID: "yolov5n-mnv4s-seg", File: "yolov5n-mnv4s-seg-f16.safetensors", Title: "YOLOv5n + MobileNetV4",
		Task: load.Segment, Accuracy: "person AP50 0.14 on COCO: early, finds people and little else", Licence: "Apache-2.0", Source: "Spotter", Input: 192,
		Feed: models.Feed{Fit: models.FitLetterbox, Pad: 114, Scale: 1.0 / 255, Std: [3]float32{1, 1, 1}},
	},
	{
		ID: "yolox-nano-416", File: "yolox-nano-416.onnx", Title: "YOLOX-nano",
		Task: load.Detect, AP: 25.8, Accuracy: "mAP 25.8 on COCO, as published", Licence: "Apache-2.0", Source: "Megvii", Input: 416,
		Feed: models.Feed{Fit: models.FitTopLeft, BGR: true, Pad: 114, Scale: 1, Std: [3]float32{1, 1, 1}},
	},
}

// Models lists the networks, the default first.
func Models() []Model {
	models := []Model{*Find(Default)}
	for _, m := range list {
		if m.ID != Default {
			models = append(models, m)
		}
	}
	return models
}

// Find gives the network with an ID, nil when there is none.
func Find(id string) *Model {
	for i := range list {
		if list[i].ID == id {
			m := list[i]
			return &m
		}
	}
	return nil
}

// IDs lists the networks' IDs for help texts.
func IDs() string {
	var ids []string
	for _, m := range Models() {
		ids = append(ids, m.ID)
	}
	return strings.Join(ids, ", ")
}

// Data is the model file's bytes.
func (m *Model) Data() ([]byte, error) { return weights.FS.ReadFile(m.File) }

// Open reads the network. Its graph is named by Title; Meta has licence and map.
func (m *Model) Open(o load.Options) (*load.Model, error) {
	data, err := m.Data()
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.ID, err)
	}
	read, err := load.Open(m.File, data, o)
	if err != nil {
		return nil, err
	}
	read.Graph.Name, read.Graph.Feed = m.Title, m.Feed
	read.Meta["licence"], read.Meta["map"], read.Meta["source"] = m.Licence, m.Accuracy, m.Source
	return read, nil
}
