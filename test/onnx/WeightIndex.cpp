// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The walk over the wire format: weights stay in the file, damaged files are errors at a byte, no bytes
// crash it.
#include "lib/onnx/WeightIndex.h"

#include "lib/onnx/TensorData.h"
#include "test/onnx/ModelBuilder.h"

#include <fcntl.h>
#include <random>
#include <unistd.h>

using namespace halftone;
using namespace halftone::onnx;
using namespace halftone::test;
using ::onnx::AttributeProto;
using ::onnx::ModelProto;
using ::onnx::TensorProto;
using testing::HasSubstr;
using testing::Not;

static const std::string weights = raw(std::vector<float>(600, 1.25f)); // 2400 bytes: above the inline limit

/// A model with a large weight in each place that can hold one.
static ModelProto largeModel() {
  ModelProto proto = addModel({600}, weights);
  ::onnx::GraphProto &graph = *proto.mutable_graph();
  TensorProto numbers = tensor("numbers", TensorProto::FLOAT, {600}, "");
  numbers.clear_raw_data();
  TensorProto doubles = tensor("doubles", TensorProto::DOUBLE, {600}, "");
  doubles.clear_raw_data();
  for (int i = 0; i < 600; ++i) {
    numbers.add_float_data(1.25f);
    doubles.add_double_data(2.5);
  }
  *graph.add_initializer() = numbers;
  *graph.add_initializer() = doubles;
  ::onnx::NodeProto &constant = *graph.add_node() = node("Constant", {}, {"c"}, "constant");
  constant.set_doc_string(std::string(5000, 'd'));
  AttributeProto &attribute = *constant.add_attribute() = test::attribute("value", AttributeProto::TENSOR);
  *attribute.mutable_t() = tensor("", TensorProto::FLOAT, {600}, weights);
  ::onnx::NodeProto &branch = *graph.add_node() = node("If", {"x"}, {"z"}, "if");
  AttributeProto &then = *branch.add_attribute() = test::attribute("then_branch", AttributeProto::GRAPH);
  *then.mutable_g()->add_initializer() = tensor("inner", TensorProto::FLOAT, {600}, weights);
  *then.mutable_g()->add_output() = value("inner");
  return proto;
}

/// The bytes that a tensor's location points to.
static std::string bytesAt(const Model &model, const Tensor &tensor) {
  if (!tensor.location)
    return "no location";
  const auto bytes = *model.files[tensor.location->file]->slice(tensor.location->offset, tensor.location->bytes);
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

TEST(WeightIndex, LargeTensorsStayInTheFile) {
  TemporaryFolder folder;
  const Expected<Model> model = roundTrip(folder, largeModel());
  ASSERT_TRUE(model) << model.error().message;
  const Graph &graph = model->graph;
  const auto &branch = **graph.nodes[2].get<std::unique_ptr<Graph>>("then_branch");
  for (const Tensor *tensor : {&graph.initializers[0], &graph.initializers[1], graph.nodes[1].get<Tensor>("value"),
                               static_cast<const Tensor *>(&branch.initializers[0])}) {
    EXPECT_EQ(tensor->bytes, "");
    EXPECT_EQ(bytesAt(*model, *tensor), weights);
  }
  EXPECT_EQ(bytesAt(*model, graph.initializers[2]), raw(std::vector<double>(600, 2.5)));
}

TEST(WeightIndex, WhatIsParsedIsSmall) {
  TemporaryFolder folder;
  const io::MappedFile file = std::move(*io::MappedFile::open(folder.write("m", largeModel().SerializeAsString())));
  ASSERT_GT(file.size(), 19000u);
  const Expected<WeightIndex> index = indexWeights(file, 1024);
  ASSERT_TRUE(index) << index.error().message;
  EXPECT_LT(index->stripped.size(), 600u);
  EXPECT_EQ(index->locations.size(), 5u);
}

TEST(WeightIndex, SmallTensorsAreInlineAndHaveAPlace) {
  TemporaryFolder folder;
  const Expected<Model> model = roundTrip(folder, addModel({2}, raw<float>({1, 2})));
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->graph.initializers[0].bytes, raw<float>({1, 2}));
  EXPECT_EQ(bytesAt(*model, model->graph.initializers[0]), raw<float>({1, 2}));
}

TEST(WeightIndex, AForgedPlaceIsIgnored) {
  TemporaryFolder folder;
  ModelProto proto = addModel({2}, raw<float>({1, 2}));
  TensorProto &tensor = *proto.mutable_graph()->mutable_initializer(0);
  tensor.clear_raw_data();
  tensor.add_float_data(1);
  tensor.add_float_data(2);
  tensor.set_doc_string("123456");
  const Expected<Model> model = roundTrip(folder, proto);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->graph.initializers[0].bytes, raw<float>({1, 2}));
}

/// The error for a file of these bytes, from after the folder's path.
static std::string refusalOf(const std::string &bytes) {
  TemporaryFolder folder;
  const Expected<Model> model = readModel(folder.write("m.onnx", bytes));
  return model ? "no error" : model.error().message.substr(folder.path.size() + 1);
}

TEST(WeightIndex, DamagedFiles) {
  EXPECT_EQ(refusalOf(""), "m.onnx: empty, an ONNX model is wanted");
  // Field 7 as bytes, length 5000, then 100 bytes.
  EXPECT_EQ(refusalOf("\x3a\x88\x27" + std::string(100, '\0')),
            "m.onnx: truncated at byte 3: field graph (7) wants 5000 bytes, 100 are left");
  EXPECT_EQ(refusalOf("\x08"), "m.onnx: truncated at byte 1: field ir_version (1) wants more bytes, 0 are left");
  EXPECT_EQ(refusalOf("\x08\x08\xba"), "m.onnx: truncated at byte 3: a field's tag wants more bytes, 0 are left");
  // A node (field 1 of the graph) that is longer than the graph around it.
  EXPECT_EQ(
      refusalOf(std::string("\x3a\x03\x0a\x05x\x08\x08", 7)),
      "m.onnx: damaged, or no ONNX model: at byte 4: field node (1) wants 5 bytes, 1 are left in the message around "
      "it");
  EXPECT_EQ(refusalOf("\x08" + std::string(10, '\xff') + "\1"),
            "m.onnx: damaged, or no ONNX model: at byte 1: field ir_version (1) is a number of more than 10 bytes");
  EXPECT_EQ(refusalOf("\x38\x01"),
            "m.onnx: damaged, or no ONNX model: at byte 0: field graph (7) has wire type 0, wanted is 2");
  EXPECT_EQ(refusalOf("\x3b\x3c"),
            "m.onnx: damaged, or no ONNX model: at byte 0: field graph (7) has wire type 3, known are 0, 1, 2, 5");
  EXPECT_EQ(refusalOf(std::string("\0\0", 2)), "m.onnx: damaged, or no ONNX model: at byte 0: there is no field 0");
  EXPECT_EQ(refusalOf(std::string("\x3a\0\x3a\0", 4)),
            "m.onnx: damaged, or no ONNX model: at byte 2: field graph (7) is there twice");
  EXPECT_THAT(refusalOf("GGUF, say, or any other file"), HasSubstr("m.onnx: damaged, or no ONNX model: at byte "));
}

static std::string nest(uint32_t field, const std::string &content) {
  std::string out(1, static_cast<char>(field << 3 | 2));
  for (size_t size = content.size();; size >>= 7) {
    out += static_cast<char>((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
    if (size <= 0x7f)
      return out + content;
  }
}

TEST(WeightIndex, DeepNestingIsAnError) {
  std::string graph;
  for (int depth = 0; depth < 1000; ++depth)
    graph = nest(1, nest(5, nest(6, graph))); // node, attribute, graph
  EXPECT_THAT(refusalOf(nest(7, graph)), HasSubstr("messages are nested deeper than 90"));
}

TEST(WeightIndex, EveryTruncationIsAnErrorOrAModel) {
  TemporaryFolder folder;
  const std::string bytes = largeModel().SerializeAsString();
  size_t models = 0, truncated = 0;
  for (size_t size = 0; size < bytes.size(); size += 1 + size / 200) {
    const Expected<Model> model = readModel(folder.write("m.onnx", bytes.substr(0, size)));
    models += bool(model);
    truncated += !model && model.error().message.starts_with(folder / "m.onnx: truncated at byte ");
  }
  EXPECT_EQ(models, 0u); // the operator sets stand behind the graph
  EXPECT_GT(truncated, 300u);
}

/// Reads every tensor of a graph, as far as it goes.
static void readAll(const Model &model, const Graph &graph) {
  for (const Tensor &tensor : graph.initializers)
    if (const Expected<WeightReader> reader = WeightReader::open(model, tensor); reader && reader->elements() < 100000)
      (void)reader->allFloats();
}

TEST(WeightIndex, MutationsNeverCrash) {
  TemporaryFolder folder;
  ModelProto proto = largeModel();
  proto.mutable_graph()->mutable_node(1)->clear_doc_string(); // fewer bytes that nobody reads
  const std::string bytes = proto.SerializeAsString();
  std::mt19937 random(7);
  size_t models = 0, errors = 0;
  for (int round = 0; round < 6000; ++round) {
    std::string mutated = bytes;
    // Most bytes are weights, which no mutation can damage: half of the changes go to the 64 bytes around a message's
    // start.
    for (unsigned change = random() % 4 + 1; change > 0; --change) {
      const size_t around = mutated.find("\x08\xd8\x04", random() % mutated.size()); // dims [600] of some tensor
      const size_t at =
          random() % 2 && around != std::string::npos ? around + random() % 64 : random() % mutated.size();
      if (at >= mutated.size())
        continue;
      switch (random() % 4) {
      case 0:
        mutated[at] = static_cast<char>(random());
        break;
      case 1:
        mutated[at] = static_cast<char>(mutated[at] ^ (1 << random() % 8));
        break;
      case 2:
        mutated.erase(at, random() % 8);
        break;
      default:
        mutated.insert(at, random() % 8, static_cast<char>(random()));
        break;
      }
    }
    const Expected<Model> model = readModel(folder.write("m.onnx", mutated));
    ++(model ? models : errors);
    if (model)
      readAll(*model, model->graph);
    else
      EXPECT_TRUE(model.error().message.starts_with(folder / "m.onnx: ")) << model.error().message;
  }
  EXPECT_GT(models, 500u);
  EXPECT_GT(errors, 500u);
}

TEST(WeightIndex, ModelsAboveTwoGigabytes) {
  TemporaryFolder folder;
  // The weight, [1024, 1024, 768] float32 = 3 GB, is a hole in the file: everything else is written around it.
  constexpr uint64_t weightBytes = 3ull << 30;
  ModelProto proto = addModel({1024, 1024, 768}, "");
  TensorProto tensor = proto.graph().initializer(0);
  tensor.clear_raw_data();
  proto.mutable_graph()->clear_initializer();
  const auto header = [](uint32_t field, uint64_t size) {
    std::string out(1, static_cast<char>(field << 3 | 2));
    for (; size >= 0x80; size >>= 7)
      out += static_cast<char>(size | 0x80);
    return out + static_cast<char>(size);
  };
  const std::string inTensor = tensor.SerializeAsString() + header(9, weightBytes);
  const std::string inGraph = header(5, inTensor.size() + weightBytes) + inTensor;
  const std::string rest = proto.graph().SerializeAsString();
  const std::string before = header(7, inGraph.size() + weightBytes + rest.size()) + inGraph;
  proto.clear_graph();
  const std::string after = rest + proto.SerializeAsString();

  const int file = open((folder / "m.onnx").c_str(), O_CREAT | O_WRONLY, 0600);
  ASSERT_GE(file, 0);
  const auto end = static_cast<off_t>(before.size() + weightBytes);
  const float one = 1;
  const bool written = pwrite(file, before.data(), before.size(), 0) == static_cast<ssize_t>(before.size()) &&
                       pwrite(file, &one, sizeof one, end - 4) == 4 &&
                       pwrite(file, after.data(), after.size(), end) == static_cast<ssize_t>(after.size());
  close(file);
  if (!written)
    GTEST_SKIP() << "this file system does not take a file of 3 GB with a hole in it";
  const Expected<Model> model = readModel(folder / "m.onnx");
  ASSERT_TRUE(model) << model.error().message;
  const Tensor &weight = model->graph.initializers[0];
  EXPECT_EQ(weight.location->offset, before.size());
  EXPECT_EQ(weight.location->bytes, weightBytes);
  const Expected<WeightReader> reader = WeightReader::open(*model, weight);
  ASSERT_TRUE(reader) << reader.error().message;
  std::vector<float> row(768);
  ASSERT_TRUE(reader->readRow(reader->rows() - 1, row));
  EXPECT_EQ(row[766], 0);
  EXPECT_EQ(row[767], 1);
}
