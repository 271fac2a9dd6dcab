// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A file with changes: nothing else differs, lengths around them fit, and more than 2 GB goes beside it.
#include "lib/onnx/edit/PatchModel.h"

#include "lib/onnx/quantized/QuantizedModel.h"
#include "test/onnx/ModelBuilder.h"

#include <climits>
#include <fcntl.h>
#include <random>
#include <unistd.h>

using namespace halftone;
using namespace halftone::onnx;
using namespace halftone::test;
using ::onnx::AttributeProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;
using testing::ElementsAre;

static std::string textOf(const io::Rope &rope) {
  std::string text;
  EXPECT_TRUE(rope.read([&](std::span<const std::byte> bytes) -> Status {
    text.append(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    return {};
  }));
  EXPECT_EQ(text.size(), rope.size());
  return text;
}

/// y = x + w, and a branch with a weight of its own.
static ModelProto nested() {
  ModelProto proto = addModel({600}, raw(std::vector<float>(600, 1.25f)));
  ::onnx::GraphProto &graph = *proto.mutable_graph();
  graph.set_doc_string("about the graph");
  NodeProto &branch = *graph.add_node() = node("If", {"x"}, {"z"}, "if");
  branch.set_doc_string("a branch");
  AttributeProto &then = *branch.add_attribute() = test::attribute("then_branch", AttributeProto::GRAPH);
  *then.mutable_g()->add_initializer() = tensor("inner", TensorProto::FLOAT, {600}, raw(std::vector<float>(600, 2)));
  *then.mutable_g()->add_node() = node("Add", {"x", "inner"}, {"sum"}, "inside");
  *then.mutable_g()->add_output() = value("sum");
  return proto;
}

TEST(PatchModel, NoEditsGiveTheSameBytes) {
  TemporaryFolder folder;
  const ModelProto proto = nested();
  const Expected<Model> model = roundTrip(folder, proto);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(textOf(*patchModel(*model, {}, nullptr)), proto.SerializeAsString());
}

TEST(PatchModel, EditsAtEveryDepth) {
  TemporaryFolder folder;
  ModelProto proto = nested();
  const Expected<Model> model = roundTrip(folder, proto);
  ASSERT_TRUE(model) << model.error().message;
  const Graph &inner = **model->graph.nodes[1].get<std::unique_ptr<Graph>>("then_branch");
  ModelEdits edits;
  edits.irVersion = 9;
  edits.opsets = {{"", 18}, {"com.microsoft", 1}};
  edits.graphs[&inner].removed = {"inner"};
  edits.graphs[&inner].initializers.push_back({"fresh", ElementType::uint8, {3}, io::Rope("abc")});
  edits.graphs[&inner].nodes[0] = [](NodeProto old) {
    old.set_input(1, "fresh");
    return std::vector{node("Abs", {"x"}, {"before"}), std::move(old)};
  };
  edits.graphs[&model->graph].nodes[0] = [](const auto &) { return std::vector<NodeProto>(); };
  edits.graphs[&model->graph].front.push_back(node("Neg", {"x"}, {"y"}));
  ModelProto patched;
  ASSERT_TRUE(patched.ParseFromString(textOf(*patchModel(*model, edits, nullptr))));

  proto.set_ir_version(9);
  proto.mutable_opset_import(0)->set_version(18);
  *proto.add_opset_import() = patched.opset_import(0);
  EXPECT_EQ(patched.opset_import(0).domain(), "com.microsoft");
  *proto.mutable_graph()->mutable_node(0) = node("Neg", {"x"}, {"y"});
  ::onnx::GraphProto &branch = *proto.mutable_graph()->mutable_node(1)->mutable_attribute(0)->mutable_g();
  *branch.mutable_initializer(0) = tensor("fresh", TensorProto::UINT8, {3}, "abc");
  branch.mutable_node(0)->set_input(1, "fresh");
  *branch.add_node() = branch.node(0);
  *branch.mutable_node(0) = node("Abs", {"x"}, {"before"});
  std::swap(*patched.mutable_opset_import(0), *patched.mutable_opset_import(1));
  EXPECT_EQ(patched.SerializeAsString(), proto.SerializeAsString());
}

TEST(PatchModel, LargeTensorsGoToTheExternalFile) {
  TemporaryFolder folder;
  ModelProto proto = nested();
  *proto.mutable_graph()->add_initializer() = tensor("small", TensorProto::FLOAT, {2}, raw<float>({1, 2}));
  const Expected<Model> model = roundTrip(folder, proto);
  ASSERT_TRUE(model) << model.error().message;
  ExternalFile external("out.data");
  const std::string text = textOf(*patchModel(*model, {}, &external));
  EXPECT_EQ(external.content().size(), 4096u + 2400u);
  folder.write("out.data", textOf(external.content()));
  const Expected<Model> again = readModel(folder.write("out", text));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_THAT(again->files, testing::SizeIs(2));
  const Graph &inner = **again->graph.nodes[1].get<std::unique_ptr<Graph>>("then_branch");
  EXPECT_EQ(inner.initializers[0].location->offset, 0u); // nodes stand first in the file
  EXPECT_EQ(again->graph.initializers[0].location->offset, 4096u);
  EXPECT_EQ(again->graph.initializers[1].location->file, 0u);
}

TEST(PatchModel, AModelAboveTwoGigabytesGetsExternalData) {
  TemporaryFolder folder;
  // A table of 2.25 GB, a hole in the file, which no linear reads, beside a linear's matrix.
  constexpr uint64_t tableBytes = uint64_t(9) << 28;
  ModelProto proto = emptyModel();
  *proto.mutable_graph()->add_node() = node("MatMul", {"x", "w"}, {"y"}, "product");
  *proto.mutable_graph()->add_node() = node("Gather", {"table", "x"}, {"z"}, "gather");
  *proto.mutable_graph()->add_initializer() =
      tensor("w", TensorProto::FLOAT, {32, 32}, raw(std::vector<float>(1024, 2)));
  TensorProto table = tensor("table", TensorProto::FLOAT, {tableBytes / 4}, "");
  table.clear_raw_data();
  const auto header = [](uint32_t field, uint64_t size) {
    std::string out(1, static_cast<char>(field << 3 | 2));
    for (; size >= 0x80; size >>= 7)
      out += static_cast<char>(size | 0x80);
    return out + static_cast<char>(size);
  };
  const std::string inTensor = table.SerializeAsString() + header(9, tableBytes);
  const std::string inGraph = proto.graph().SerializeAsString() + header(5, inTensor.size() + tableBytes) + inTensor;
  proto.clear_graph();
  const std::string before = proto.SerializeAsString() + header(7, inGraph.size() + tableBytes) + inGraph;
  const std::string path = folder.write("m.onnx", before);
  if (truncate(path.c_str(), static_cast<off_t>(before.size() + tableBytes)) != 0)
    GTEST_SKIP() << "this file system does not take a file of 2.25 GB with a hole in it";
  const Expected<Model> model = readModel(path);
  ASSERT_TRUE(model) << model.error().message;

  const Values values(*model);
  const Linears linears = findLinears(values, *model);
  ASSERT_THAT(linears.weights, testing::SizeIs(1));
  auto codes = std::make_shared<const io::MappedFile>(
      std::move(*io::MappedFile::open(folder.write("codes", std::string(1024, 'c')))));
  const formats::Format format = formats::Format::integer(4, 32);
  const QuantizedWeight weight = {&linears.weights[0], *formats::StoredMatrix::open(codes, 0, {32, 32, format})};
  const Expected<ModelFiles> files =
      describeFiles(*model, values, {&weight, 1}, *findStorageStyle("matmulnbits"), "m.data");
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_TRUE(files->external);
  EXPECT_LT(files->model.size(), 1024u);
  EXPECT_EQ(files->external->content().size(), tableBytes);
  ModelProto patched;
  ASSERT_TRUE(patched.ParseFromString(textOf(files->model)));
  EXPECT_EQ(patched.graph().initializer(2).external_data(2).value(), std::to_string(tableBytes));
}

/// Linears in each form, an operator that is raised, and a branch.
static ModelProto linearModel() {
  ModelProto proto = nested();
  proto.mutable_opset_import(0)->set_version(11);
  ::onnx::GraphProto &graph = *proto.mutable_graph();
  const std::string matrix = raw(std::vector<float>(32 * 32, 1.5f));
  *graph.add_initializer() = tensor("m", TensorProto::FLOAT, {32, 32}, matrix);
  *graph.add_node() = node("MatMul", {"x", "m"}, {"p"}, "product");
  *graph.add_node() = node("Transpose", {"m"}, {"t"}, "turn");
  *graph.add_node() = node("Gemm", {"p", "t", "w"}, {"q"}, "turned");
  *graph.add_node() = node("Softmax", {"q"}, {"s"}, "softmax");
  NodeProto &inner = *graph.mutable_node(1)->mutable_attribute(0)->mutable_g()->add_node();
  inner = node("MatMul", {"x", "m"}, {"i"}, "inner product");
  return proto;
}

/// Everything that quantizing a file does to it, without quantizing. \returns whether there was something to do.
static bool takeApart(const Expected<Model> &model, const std::shared_ptr<const io::MappedFile> &codes) {
  if (!model)
    return false;
  const Values values(*model);
  const Linears linears = findLinears(values, *model);
  bool hasPatched = false;
  for (const std::string_view style : storageStyleNames()) {
    std::vector<QuantizedWeight> weights;
    for (const LinearWeight &weight : linears.weights) {
      const formats::Format format = formats::Format::integer(4, 16, formats::Scalar::F16, true);
      const Expected<std::string> reason = checkStyle(*findStorageStyle(style), format, weight);
      auto matrix = formats::StoredMatrix::open(codes, 0, {weight.rows, weight.columns, format});
      if (reason && reason->empty() && matrix)
        weights.push_back({&weight, *matrix});
    }
    const Expected<ModelFiles> files = describeFiles(*model, values, weights, *findStorageStyle(style), "m.data");
    if (!files)
      continue;
    hasPatched |= !weights.empty();
    EXPECT_EQ(textOf(files->model).size(), files->model.size());
  }
  return hasPatched;
}

TEST(PatchModel, MutationsNeverCrash) {
  TemporaryFolder folder;
  auto codes = std::make_shared<const io::MappedFile>(
      std::move(*io::MappedFile::open(folder.write("codes", std::string(4096, 'c')))));
  const std::string bytes = linearModel().SerializeAsString();
  ASSERT_TRUE(takeApart(readModel(folder.write("m.onnx", bytes), {.externalDataRoot = "", .isLenient = true}), codes));
  std::mt19937 random(11);
  size_t patched = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string mutated = bytes;
    for (unsigned change = random() % 3 + 1; change > 0; --change) {
      // Most bytes are weights, which say nothing: places that are not zero or part of 1.5, 1.25 and 2.
      size_t at = random() % mutated.size();
      while (std::string_view("\0\xc0\xa0\x3f\x40", 5).find(mutated[at]) != std::string_view::npos)
        at = random() % mutated.size();
      mutated[at] = static_cast<char>(random() % 2 ? random() : mutated[at] ^ (1 << random() % 8));
    }
    patched +=
        takeApart(readModel(folder.write("m.onnx", mutated), {.externalDataRoot = "", .isLenient = true}), codes);
  }
  EXPECT_GT(patched, 300u);
}
