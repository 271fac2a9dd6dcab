// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading a model: what arrives, and each thing that is refused, with its words.
#include "test/onnx/ModelBuilder.h"

using namespace halftone;
using namespace halftone::onnx;
using namespace halftone::test;
using ::onnx::AttributeProto;
using ::onnx::ModelProto;
using ::onnx::TensorProto;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

static Strings nodeNames(const Graph &graph) {
  Strings names;
  for (const Node &node : graph.nodes)
    names.push_back(node.label());
  return names;
}

TEST(ReadModel, Header) {
  TemporaryFolder folder;
  ModelProto proto = addModel({2, 2}, raw<float>({1, 2, 3, 4}));
  proto.set_producer_version("1.2");
  proto.add_opset_import()->set_domain("com.microsoft");
  proto.mutable_opset_import(1)->set_version(1);
  auto *entry = proto.add_metadata_props();
  entry->set_key("k");
  entry->set_value("v");
  const Expected<Model> model = roundTrip(folder, proto);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->path, folder / "m.onnx");
  EXPECT_EQ(model->irVersion, 8);
  EXPECT_EQ(model->producer, "builder 1.2");
  EXPECT_THAT(model->opsets, ElementsAre(Pair("", 17), Pair("com.microsoft", 1)));
  EXPECT_THAT(model->metadata, ElementsAre(Pair("k", "v")));
  EXPECT_EQ(model->describe(model->graph.nodes[0]), folder / "m.onnx: node 'add' (Add, opset 17)");
}

TEST(ReadModel, InputsOutputsAndInitializers) {
  TemporaryFolder folder;
  ModelProto proto = addModel({2, 2}, raw<float>({1, 2, 3, 4}));
  *proto.mutable_graph()->add_input() = value("w"); // a default before IR 4: no input
  auto *shape = proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape->mutable_dim(0)->set_dim_param("batch");
  shape->mutable_dim(1)->set_dim_value(-1);
  proto.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  const Expected<Model> model = roundTrip(folder, proto);
  ASSERT_TRUE(model) << model.error().message;
  ASSERT_EQ(model->graph.inputs.size(), 1u);
  EXPECT_EQ(model->graph.inputs[0].name, "x");
  EXPECT_EQ(model->graph.inputs[0].type, ElementType::float32);
  EXPECT_THAT(*model->graph.inputs[0].shape, ElementsAre(Dimension("batch"), Dimension("")));
  EXPECT_FALSE(model->graph.outputs[0].shape);
  ASSERT_EQ(model->graph.initializers.size(), 1u);
  EXPECT_EQ(model->graph.initializers[0].name, "w");
  EXPECT_THAT(model->graph.initializers[0].shape, ElementsAre(2, 2));
  EXPECT_EQ(model->graph.initializers[0].bytes, raw<float>({1, 2, 3, 4}));
}

TEST(ReadModel, Attributes) {
  TemporaryFolder folder;
  ModelProto proto = emptyModel();
  ::onnx::NodeProto &node = *proto.mutable_graph()->add_node() = test::node("Op", {"x", ""}, {"", "y"});
  node.set_domain("ai.onnx");
  node.set_doc_string("left out");
  const auto add = [&](const char *name, AttributeProto::AttributeType type) {
    return &(*node.add_attribute() = attribute(name, type));
  };
  add("i", AttributeProto::INT)->set_i(-3);
  add("f", AttributeProto::FLOAT)->set_f(0.5f);
  add("s", AttributeProto::STRING)->set_s("text");
  *add("t", AttributeProto::TENSOR)->mutable_t() = tensor("", TensorProto::INT64, {2}, raw<int64_t>({5, 6}));
  add("ints", AttributeProto::INTS)->add_ints(7);
  add("floats", AttributeProto::FLOATS)->add_floats(1.5f);
  add("strings", AttributeProto::STRINGS)->add_strings("a");
  const Expected<Model> model = roundTrip(folder, proto);
  ASSERT_TRUE(model) << model.error().message;
  const Node &read = model->graph.nodes[0];
  EXPECT_EQ(read.domain, "");
  EXPECT_EQ(read.label(), "y");
  EXPECT_THAT(read.inputs, ElementsAre("x", ""));
  EXPECT_EQ(*read.get<int64_t>("i"), -3);
  EXPECT_EQ(*read.get<float>("f"), 0.5f);
  EXPECT_EQ(*read.get<std::string>("s"), "text");
  EXPECT_EQ(read.get<Tensor>("t")->bytes, raw<int64_t>({5, 6}));
  EXPECT_THAT(*read.get<std::vector<int64_t>>("ints"), ElementsAre(7));
  EXPECT_THAT(*read.get<std::vector<float>>("floats"), ElementsAre(1.5f));
  EXPECT_THAT(*read.get<Strings>("strings"), ElementsAre("a"));
  EXPECT_EQ(read.get<float>("i"), nullptr);
  EXPECT_EQ(read.attribute("none"), nullptr);
}

/// The elements of a tensor given as numbers of the message rather than as bytes.
static Expected<Model> readNumbers(const TemporaryFolder &folder, TensorProto tensor) {
  ModelProto proto = emptyModel();
  *proto.mutable_graph()->add_node() = node("Add", {"x", "w"}, {"y"}, "add");
  tensor.set_name("w");
  tensor.clear_raw_data();
  *proto.mutable_graph()->add_initializer() = tensor;
  return roundTrip(folder, proto);
}

TEST(ReadModel, NumbersBecomeBytes) {
  TemporaryFolder folder;
  const auto bytesOf = [&](const TensorProto &tensor) {
    const Expected<Model> model = readNumbers(folder, tensor);
    return model ? model->graph.initializers[0].bytes : model.error().message;
  };
  TensorProto int8 = tensor("", TensorProto::INT8, {3}, "");
  for (const int number : {-128, 0, 127})
    int8.add_int32_data(number);
  EXPECT_EQ(bytesOf(int8), raw<int8_t>({-128, 0, 127}));
  TensorProto int4 = tensor("", TensorProto::INT4, {3}, "");
  for (const int number : {0x21, 0x0f})
    int4.add_int32_data(number);
  EXPECT_EQ(bytesOf(int4), "\x21\x0f");
  TensorProto half = tensor("", TensorProto::FLOAT16, {1}, "");
  half.add_int32_data(0x3c00);
  EXPECT_EQ(bytesOf(half), raw<uint16_t>({0x3c00}));
  TensorProto wide = tensor("", TensorProto::UINT32, {1}, "");
  wide.add_uint64_data(UINT32_MAX);
  EXPECT_EQ(bytesOf(wide), raw<uint32_t>({UINT32_MAX}));
  TensorProto longs = tensor("", TensorProto::INT64, {2}, "");
  longs.add_int64_data(-1);
  longs.add_int64_data(1);
  EXPECT_EQ(bytesOf(longs), raw<int64_t>({-1, 1}));
  TensorProto floats = tensor("", TensorProto::FLOAT, {2}, "");
  floats.add_float_data(1);
  floats.add_float_data(2);
  EXPECT_EQ(bytesOf(floats), raw<float>({1, 2}));
  TensorProto doubles = tensor("", TensorProto::DOUBLE, {}, "");
  doubles.add_double_data(1);
  EXPECT_EQ(bytesOf(doubles), raw<double>({1}));

  int8.set_int32_data(1, 128);
  EXPECT_EQ(bytesOf(int8), folder / "m.onnx: initializer 'w': element 1 is 128, outside int8");
  wide.set_uint64_data(0, 1ull << 32);
  EXPECT_EQ(bytesOf(wide), folder / "m.onnx: initializer 'w': element 0 is 4294967296, outside uint32");
  floats.add_float_data(3);
  EXPECT_EQ(bytesOf(floats), folder / "m.onnx: initializer 'w' (float32 [2]) wants 8 bytes, has 12");
}

TEST(ReadModel, TensorsOfStrings) {
  TemporaryFolder folder;
  TensorProto strings = tensor("", TensorProto::STRING, {2}, "");
  strings.add_string_data("a");
  strings.add_string_data("b");
  EXPECT_THAT(readNumbers(folder, strings)->graph.initializers[0].strings, ElementsAre("a", "b"));
  strings.add_string_data("c");
  EXPECT_THAT(readNumbers(folder, strings).error().message, HasSubstr("(string [2]) wants 2 strings, has 3"));
}

TEST(ReadModel, BadTensors) {
  EXPECT_EQ(refusal(addModel({2, 2}, "1234")), "m.onnx: initializer 'w' (float32 [2, 2]) wants 16 bytes, has 4");
  EXPECT_EQ(refusal(addModel({-2, 2}, "1234")), "m.onnx: initializer 'w': no tensor can be float32 [-2, 2]");
  EXPECT_EQ(refusal(addModel({int64_t(1) << 40, int64_t(1) << 40}, "")),
            "m.onnx: initializer 'w': no tensor can be float32 [1099511627776, 1099511627776]");
  ModelProto proto = addModel({1}, "1234");
  proto.mutable_graph()->mutable_initializer(0)->set_data_type(99);
  EXPECT_EQ(refusal(proto), "m.onnx: initializer 'w': element type 99 is not known");
  proto = addModel({1}, "1234");
  proto.mutable_graph()->mutable_initializer(0)->mutable_segment()->set_begin(1);
  EXPECT_EQ(refusal(proto), "m.onnx: initializer 'w': tensors in segments are not supported");
  proto = addModel({1}, "1234");
  proto.mutable_graph()->add_sparse_initializer()->mutable_values()->set_name("s");
  EXPECT_EQ(refusal(proto), "m.onnx: initializer 's' is sparse, which is not supported");
}

TEST(ReadModel, Versions) {
  ModelProto proto = addModel({1}, "1234");
  for (const int version : {2, 14}) {
    proto.set_ir_version(version);
    EXPECT_EQ(refusal(proto), "m.onnx: IR version " + std::to_string(version) + " is not supported, 3 to 13 are");
  }
  for (const int version : {3, 13}) {
    proto.set_ir_version(version);
    EXPECT_EQ(refusal(proto), "no error");
  }
  for (const int version : {6, 26}) {
    proto.mutable_opset_import(0)->set_version(version);
    EXPECT_EQ(refusal(proto), "m.onnx: opset " + std::to_string(version) + " is not supported, 7 to 25 are");
  }
  proto.mutable_opset_import(0)->set_version(17);
  proto.add_opset_import()->set_domain("ai.onnx");
  proto.mutable_opset_import(1)->set_version(18);
  EXPECT_EQ(refusal(proto), "m.onnx: domain 'ai.onnx' is imported as opset 17 and as opset 18");
}

TEST(ReadModel, DomainsMatterWhereANodeUsesThem) {
  ModelProto proto = addModel({1}, "1234");
  proto.add_opset_import()->set_domain("org.example");
  proto.mutable_opset_import(1)->set_version(1000);
  EXPECT_EQ(refusal(proto), "no error");
  proto.mutable_graph()->mutable_node(0)->set_domain("org.example");
  EXPECT_EQ(refusal(proto),
            "m.onnx: node 'add' (org.example.Add, opset 1000): domain 'org.example' is not known; known "
            "are ai.onnx, ai.onnx.ml, com.microsoft");
  proto.mutable_graph()->mutable_node(0)->set_domain("com.microsoft");
  EXPECT_EQ(refusal(proto),
            "m.onnx: node 'add' (com.microsoft.Add): the model imports no operator set of domain 'com.microsoft'");
  proto = addModel({1}, "1234");
  proto.clear_opset_import();
  EXPECT_EQ(refusal(proto), "m.onnx: node 'add' (Add): the model imports no operator set of domain 'ai.onnx'");
}

TEST(ReadModel, FunctionsAreRefusedWhereCalled) {
  ModelProto proto = addModel({1}, "1234");
  proto.add_functions()->set_name("Other");
  proto.mutable_functions(0)->set_domain("local");
  EXPECT_EQ(refusal(proto), "no error");
  proto.mutable_graph()->mutable_node(0)->set_op_type("Other");
  proto.mutable_graph()->mutable_node(0)->set_domain("local");
  EXPECT_EQ(refusal(proto), "m.onnx: node 'add' (local.Other): the operator is a function of the model's own, which is "
                            "not supported");
}

TEST(ReadModel, BadAttributes) {
  ModelProto proto = addModel({1}, "1234");
  ::onnx::NodeProto &node = *proto.mutable_graph()->mutable_node(0);
  *node.add_attribute() = attribute("a", AttributeProto::TYPE_PROTO);
  EXPECT_EQ(refusal(proto), "m.onnx: node 'add' (Add, opset 17): attribute 'a' has type 13, which is not supported");
  node.mutable_attribute(0)->clear_type();
  node.mutable_attribute(0)->set_ref_attr_name("b");
  EXPECT_EQ(refusal(proto),
            "m.onnx: node 'add' (Add, opset 17): attribute 'a' refers to 'b', which only a function may");
  *node.mutable_attribute(0) = attribute("a", AttributeProto::INT);
  *node.add_attribute() = attribute("a", AttributeProto::FLOAT);
  EXPECT_EQ(refusal(proto), "m.onnx: node 'add' (Add, opset 17): attribute 'a' is there twice");
  *node.mutable_attribute(1) = attribute("t", AttributeProto::TENSOR);
  *node.mutable_attribute(1)->mutable_t() = tensor("", TensorProto::FLOAT, {3}, "1234");
  EXPECT_EQ(refusal(proto), "m.onnx: node 'add' (Add, opset 17): attribute 't' (float32 [3]) wants 12 bytes, has 4");
}

TEST(ReadModel, MissingParts) {
  ModelProto proto = addModel({1}, "1234");
  proto.mutable_graph()->mutable_node(0)->clear_op_type();
  EXPECT_EQ(refusal(proto), "m.onnx: node 'add' (, opset 17): the node names no operator");
  proto = addModel({1}, "1234");
  proto.clear_graph();
  EXPECT_EQ(refusal(proto), "m.onnx: the model has no graph");
  proto = addModel({1}, "1234");
  proto.mutable_graph()->clear_output();
  EXPECT_EQ(refusal(proto), "m.onnx: the graph has no outputs");
  proto = addModel({1}, "1234");
  proto.mutable_graph()->mutable_output(0)->set_name("z");
  EXPECT_EQ(refusal(proto), "m.onnx: output 'z' is not defined");
  proto = addModel({1}, "1234");
  proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type();
  EXPECT_EQ(refusal(proto), "m.onnx: input 'x' is no tensor of a known element type");
  proto = addModel({1}, "1234");
  proto.mutable_graph()->mutable_node(0)->set_input(0, "nowhere");
  EXPECT_EQ(refusal(proto), "m.onnx: node 'add' (Add, opset 17): input 'nowhere' is not defined");
}

TEST(ReadModel, DuplicateNames) {
  ModelProto proto = addModel({1}, "1234");
  *proto.mutable_graph()->add_node() = node("Mul", {"x", "w"}, {"y"}, "mul");
  EXPECT_EQ(refusal(proto), "m.onnx: node 'mul' (Mul, opset 17): output 'y' is already defined by node 'add'");
  proto.mutable_graph()->mutable_node(1)->set_output(0, "x");
  EXPECT_EQ(refusal(proto),
            "m.onnx: node 'mul' (Mul, opset 17): output 'x' is already defined by an input or initializer");
  proto = addModel({1}, "1234");
  *proto.mutable_graph()->add_initializer() = proto.graph().initializer(0);
  EXPECT_EQ(refusal(proto), "m.onnx: initializer 'w' is defined twice");
  proto = addModel({1}, "1234");
  *proto.mutable_graph()->add_input() = value("x");
  EXPECT_EQ(refusal(proto), "m.onnx: input 'x' is defined twice");
}

TEST(ReadModel, NodesOutOfOrderAreSortedStably) {
  TemporaryFolder folder;
  ModelProto proto = emptyModel();
  auto &nodes = *proto.mutable_graph()->mutable_node();
  *nodes.Add() = node("Add", {"b", "c"}, {"y"}, "last");
  *nodes.Add() = node("Neg", {"x"}, {"c"}, "c");
  *nodes.Add() = node("Neg", {"a"}, {"b"}, "b");
  *nodes.Add() = node("Neg", {"x"}, {"a"}, "a");
  *nodes.Add() = node("Neg", {"x"}, {"unused"}, "unused");
  const Expected<Model> model = roundTrip(folder, proto);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_THAT(nodeNames(model->graph), ElementsAre("c", "a", "b", "last", "unused"));
}

TEST(ReadModel, CyclesNameTheirNodes) {
  ModelProto proto = emptyModel();
  auto &nodes = *proto.mutable_graph()->mutable_node();
  *nodes.Add() = node("Neg", {"c"}, {"y"}, "behind"); // not on the cycle
  *nodes.Add() = node("Add", {"x", "c"}, {"a"}, "first");
  *nodes.Add() = node("Neg", {"a"}, {"b"});
  *nodes.Add() = node("Neg", {"b"}, {"c"}, "third");
  EXPECT_EQ(refusal(proto),
            "m.onnx: node 'third' (Neg, opset 17): the graph is cyclic: 'third' -> 'first' -> 'b' -> 'third'");
  proto.mutable_graph()->mutable_node(1)->set_input(1, "a");
  EXPECT_EQ(refusal(proto), "m.onnx: node 'first' (Add, opset 17): the graph is cyclic: 'first' -> 'first'");
}

TEST(ReadModel, LongCyclesAreShortened) {
  ModelProto proto = emptyModel("v0");
  for (int i = 0; i < 100; ++i)
    *proto.mutable_graph()->add_node() =
        node("Neg", {"v" + std::to_string((i + 99) % 100)}, {"v" + std::to_string(i)}, "n" + std::to_string(i));
  EXPECT_EQ(refusal(proto),
            "m.onnx: node 'n0' (Neg, opset 17): the graph is cyclic: 'n0' -> (94 more) -> 'n95' -> 'n96' "
            "-> 'n97' -> 'n98' -> 'n99' -> 'n0'");
}

/// x -> If with a branch that reads `captured` of the graph around it.
static ModelProto branchModel(const std::string &captured) {
  ModelProto proto = emptyModel();
  ::onnx::NodeProto &branch = *proto.mutable_graph()->add_node() = node("If", {"x"}, {"y"}, "if");
  ::onnx::AttributeProto &then = *branch.add_attribute() = attribute("then_branch", AttributeProto::GRAPH);
  *then.mutable_g()->add_node() = node("Neg", {captured}, {"inner"}, "neg");
  *then.mutable_g()->add_output() = value("inner");
  *proto.mutable_graph()->add_node() = node("Abs", {"x"}, {"a"}, "abs");
  return proto;
}

TEST(ReadModel, SubgraphsSeeTheGraphAround) {
  TemporaryFolder folder;
  const Expected<Model> model = roundTrip(folder, branchModel("a"));
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_THAT(nodeNames(model->graph), ElementsAre("abs", "if")); // the branch reads what abs defines
  const auto *branch = model->graph.nodes[1].get<std::unique_ptr<Graph>>("then_branch");
  ASSERT_TRUE(branch);
  EXPECT_THAT(nodeNames(**branch), ElementsAre("neg"));
}

TEST(ReadModel, ASubgraphsOwnNameHidesTheOneAround) {
  TemporaryFolder folder;
  ModelProto proto = branchModel("a");
  ::onnx::GraphProto &branch = *proto.mutable_graph()->mutable_node(0)->mutable_attribute(0)->mutable_g();
  *branch.add_node() = node("Abs", {"x"}, {"a"}, "own");
  const Expected<Model> model = roundTrip(folder, proto);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_THAT(nodeNames(model->graph), ElementsAre("if", "abs"));
  EXPECT_THAT(nodeNames(**model->graph.nodes[0].get<std::unique_ptr<Graph>>("then_branch")), ElementsAre("own", "neg"));
}

TEST(ReadModel, SubgraphErrors) {
  EXPECT_EQ(refusal(branchModel("nowhere")), "m.onnx: node 'neg' (Neg, opset 17): input 'nowhere' is not defined");
  EXPECT_EQ(refusal(branchModel("y")), "m.onnx: node 'if' (If, opset 17): the graph is cyclic: 'if' -> 'if'");
  EXPECT_EQ(refusal(branchModel("inner")), "m.onnx: node 'neg' (Neg, opset 17): the graph is cyclic: 'neg' -> 'neg'");
  ModelProto proto = branchModel("x");
  proto.mutable_graph()->mutable_node(0)->mutable_attribute(0)->mutable_g()->clear_output();
  EXPECT_EQ(refusal(proto), "m.onnx: node 'if' (If, opset 17): subgraph: the graph has no outputs");
  // What a subgraph defines, the graph around it does not see.
  proto = branchModel("x");
  proto.mutable_graph()->mutable_node(1)->set_input(0, "inner");
  EXPECT_EQ(refusal(proto), "m.onnx: node 'abs' (Abs, opset 17): input 'inner' is not defined");
}

TEST(ReadModel, NoSuchFile) {
  TemporaryFolder folder;
  EXPECT_EQ(readModel(folder / "none.onnx").error().message,
            folder / "none.onnx: cannot open: No such file or directory");
}
