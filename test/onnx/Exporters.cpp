// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Models as exporters write them, from ../shared/data beside the project: everything we read equals what
// protobuf reads.
#include "lib/onnx/TensorData.h"
#include "test/onnx/ModelBuilder.h"

#include <filesystem>
#include <fstream>

using namespace halftone;
using namespace halftone::onnx;
using namespace halftone::test;
using ::onnx::TensorProto;
using testing::HasSubstr;
using testing::StartsWith;

static const std::filesystem::path models = std::filesystem::path(HALFTONE_SOURCE_DIR) / "../shared/data/onnx";

static std::vector<std::filesystem::path> listModels() {
  std::vector<std::filesystem::path> found;
  if (std::filesystem::exists(models))
    for (const auto &entry : std::filesystem::directory_iterator(models))
      if (std::filesystem::exists(entry.path() / "model.onnx"))
        found.push_back(entry.path() / "model.onnx");
  std::sort(found.begin(), found.end());
  return found;
}

static std::string readBytes(const std::filesystem::path &path, uint64_t offset, uint64_t count) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(count, '\0');
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(bytes.data(), static_cast<std::streamsize>(count));
  return bytes;
}

/// The elements as protobuf sees them; raw data only, which is what these exporters write for weights.
static std::string expectedBytes(const TensorProto &proto, const std::filesystem::path &folder) {
  if (proto.data_location() != TensorProto::EXTERNAL)
    return proto.raw_data();
  std::map<std::string, std::string> entries;
  for (const auto &entry : proto.external_data())
    entries[entry.key()] = entry.value();
  return readBytes(folder / entries["location"], std::stoull("0" + entries["offset"]),
                   std::stoull("0" + entries["length"]));
}

static void compareTensor(const Model &model, const Tensor &tensor, const TensorProto &proto) {
  SCOPED_TRACE(proto.name());
  EXPECT_EQ(tensor.name, proto.name());
  EXPECT_EQ(static_cast<int>(tensor.type), proto.data_type());
  EXPECT_EQ(tensor.shape, std::vector<int64_t>(proto.dims().begin(), proto.dims().end()));
  const Expected<WeightReader> reader = WeightReader::open(model, tensor);
  ASSERT_TRUE(reader) << reader.error().message;
  const std::string expected = expectedBytes(proto, std::filesystem::path(model.path).parent_path());
  const std::string_view bytes = {reinterpret_cast<const char *>(reader->bytes().data()), reader->bytes().size()};
  if (!expected.empty())
    EXPECT_TRUE(bytes == expected);
}

static void compareGraph(const Model &model, const Graph &graph, const ::onnx::GraphProto &proto) {
  ASSERT_EQ(graph.nodes.size(), static_cast<size_t>(proto.node_size()));
  for (int i = 0; i < proto.node_size(); ++i) {
    const Node &node = graph.nodes[static_cast<size_t>(i)];
    EXPECT_EQ(node.name, proto.node(i).name());
    EXPECT_EQ(node.opType, proto.node(i).op_type());
    EXPECT_EQ(node.inputs, Strings(proto.node(i).input().begin(), proto.node(i).input().end()));
    EXPECT_EQ(node.outputs, Strings(proto.node(i).output().begin(), proto.node(i).output().end()));
    for (const auto &attribute : proto.node(i).attribute())
      if (const auto *subgraph = node.get<std::unique_ptr<Graph>>(attribute.name()))
        compareGraph(model, **subgraph, attribute.g());
      else if (const auto *tensor = node.get<Tensor>(attribute.name()))
        compareTensor(model, *tensor, attribute.t());
      else
        EXPECT_TRUE(node.attribute(attribute.name())) << attribute.name();
  }
  ASSERT_EQ(graph.initializers.size(), static_cast<size_t>(proto.initializer_size()));
  for (int i = 0; i < proto.initializer_size(); ++i)
    compareTensor(model, graph.initializers[static_cast<size_t>(i)], proto.initializer(i));
}

/// Some graphs come without their weights, which a script beside them rebuilds following map.json.
static bool weightsAreLeftOut(const std::filesystem::path &folder) {
  return std::filesystem::exists(folder / "map.json") && !std::filesystem::exists(folder / "model.onnx.data") &&
         !std::filesystem::exists(folder / "model.onnx_data");
}

class Exporters : public testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Exporters);

TEST_P(Exporters, ReadsWhatProtobufReads) {
  const Expected<Model> model = readModel(GetParam().string());
  if (weightsAreLeftOut(GetParam().parent_path())) {
    ASSERT_FALSE(model);
    EXPECT_THAT(model.error().message, StartsWith(GetParam().string() + ": initializer '"));
    EXPECT_THAT(model.error().message,
                HasSubstr("data' is missing: no such file in '" + GetParam().parent_path().string()));
    return;
  }
  ASSERT_TRUE(model) << model.error().message;
  ::onnx::ModelProto proto;
  std::ifstream file(GetParam(), std::ios::binary);
  ASSERT_TRUE(proto.ParseFromIstream(&file));
  EXPECT_EQ(model->irVersion, proto.ir_version());
  EXPECT_EQ(model->graph.outputs.size(), static_cast<size_t>(proto.graph().output_size()));
  compareGraph(*model, model->graph, proto.graph());
}

INSTANTIATE_TEST_SUITE_P(Shared, Exporters, testing::ValuesIn(listModels()), [](const auto &info) {
  std::string name = info.param.parent_path().filename();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(ExportersData, IsThere) {
  if (listModels().empty())
    GTEST_SKIP() << "no models in " << models << ": the tests of exporters' models did not run";
  EXPECT_GE(listModels().size(), 66u);
}
