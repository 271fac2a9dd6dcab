// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// External data: found beside the model or under the root, and nowhere else.
#include "lib/onnx/TensorData.h"
#include "test/onnx/ModelBuilder.h"

using namespace halftone;
using namespace halftone::onnx;
using namespace halftone::test;
using ::onnx::ModelProto;
using testing::ElementsAre;
using Entries = std::vector<std::pair<std::string, std::string>>;

/// A folder with model/m.onnx to be, model/w.bin of 24 bytes, and outside.bin beside the model's folder.
class ExternalDataTest : public testing::Test {
protected:
  ExternalDataTest() {
    std::filesystem::create_directory(folder / "model");
    folder.write("model/w.bin", raw<float>({0, 1, 2, 3, 4, 5}));
    folder.write("outside.bin", raw<float>({9, 9, 9, 9}));
  }

  Expected<Model> read(const Entries &entries, const ReadOptions &options = {}) const {
    ModelProto proto = addModel({2, 2}, "");
    makeExternal(proto, entries);
    return readModel(folder.write("model/m.onnx", proto.SerializeAsString()), options);
  }

  /// The error, with the test's folder written as ~.
  std::string refusal(const Entries &entries, const ReadOptions &options = {}) const {
    const Expected<Model> model = read(entries, options);
    std::string message = model ? "no error" : model.error().message;
    for (size_t at; (at = message.find(folder.path)) != std::string::npos;)
      message.replace(at, folder.path.size(), "~");
    return message;
  }

  TemporaryFolder folder;
};

TEST_F(ExternalDataTest, IsFound) {
  const Expected<Model> model = read({{"location", "w.bin"}, {"offset", "4"}, {"length", "16"}, {"checksum", "any"}});
  ASSERT_TRUE(model) << model.error().message;
  const Tensor &weight = model->graph.initializers[0];
  ASSERT_TRUE(weight.location);
  EXPECT_EQ(weight.location->file, 1u);
  EXPECT_EQ(weight.location->offset, 4u);
  EXPECT_EQ(weight.location->bytes, 16u);
  EXPECT_EQ(model->files[1]->path(), std::filesystem::canonical(folder / "model/w.bin").string());
  EXPECT_EQ(weight.bytes, raw<float>({1, 2, 3, 4})); // small: also inline
  EXPECT_THAT(*WeightReader::open(*model, weight)->allFloats(), ElementsAre(1, 2, 3, 4));
}

TEST_F(ExternalDataTest, OffsetAndLengthMayBeLeftOut) {
  const Expected<Model> model = read({{"location", "w.bin"}}, {.externalDataRoot = "", .inlineLimit = 0});
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->graph.initializers[0].location->offset, 0u);
  EXPECT_EQ(model->graph.initializers[0].bytes, "");
  EXPECT_THAT(*WeightReader::open(*model, model->graph.initializers[0])->allFloats(), ElementsAre(0, 1, 2, 3));
}

TEST_F(ExternalDataTest, OneFileForManyTensors) {
  ModelProto proto = addModel({2, 2}, "");
  makeExternal(proto, {{"location", "w.bin"}});
  *proto.mutable_graph()->add_initializer() = proto.graph().initializer(0);
  proto.mutable_graph()->mutable_initializer(1)->set_name("v");
  const Expected<Model> model = readModel(folder.write("model/m.onnx", proto.SerializeAsString()));
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->files.size(), 2u);
}

TEST_F(ExternalDataTest, Missing) {
  EXPECT_EQ(refusal({{"location", "none.bin"}}),
            "~/model/m.onnx: initializer 'w': external data 'none.bin' is missing: no such file in '~/model'");
  EXPECT_EQ(refusal({{"location", "none.bin"}}, {.externalDataRoot = folder.path}),
            "~/model/m.onnx: initializer 'w': external data 'none.bin' is missing: no such file in '~/model' or '~'");
  EXPECT_EQ(refusal({{"offset", "0"}}), "~/model/m.onnx: initializer 'w': external data without a location");
  EXPECT_EQ(refusal({{"location", std::string("w.bin\0x", 7)}}),
            "~/model/m.onnx: initializer 'w': external data without a location");
  EXPECT_EQ(refusal({{"location", "."}}),
            "~/model/m.onnx: initializer 'w': external data '.' lies outside the model's folder '~/model'; an external "
            "data root can allow another folder");
}

TEST_F(ExternalDataTest, NothingOutsideTheFolder) {
  std::filesystem::create_symlink(folder / "outside.bin", folder / "model/link.bin");
  std::filesystem::create_directory(folder / "model-2");
  folder.write("model-2/w.bin", raw<float>({9, 9, 9, 9}));
  std::filesystem::create_directory_symlink(folder / "model-2", folder / "model/linked");
  for (const std::string &location :
       {folder / "outside.bin", std::string("../outside.bin"), std::string("a/../../outside.bin"),
        std::string("../missing.bin"), std::string("link.bin"), std::string("linked/w.bin")})
    EXPECT_THAT(refusal({{"location", location}}), testing::HasSubstr(" lies outside the model's folder '~/model'; an "
                                                                      "external data root can allow another folder"))
        << location;
}

TEST_F(ExternalDataTest, TheRootAllowsAnotherFolder) {
  std::filesystem::create_symlink(folder / "outside.bin", folder / "model/link.bin");
  const ReadOptions options = {.externalDataRoot = folder.path};
  for (const char *location : {"outside.bin", "../outside.bin", "link.bin"}) {
    const Expected<Model> model = read({{"location", location}}, options);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->graph.initializers[0].bytes, raw<float>({9, 9, 9, 9}));
  }
  EXPECT_EQ(refusal({{"location", "../../etc/passwd"}}, options).substr(0, 36), "~/model/m.onnx: initializer 'w': ext");
  EXPECT_THAT(
      refusal({{"location", "/etc/passwd"}}, options),
      testing::HasSubstr("external data '/etc/passwd' lies outside the model's folder '~/model' and the external "
                         "data root '~'"));
}

TEST_F(ExternalDataTest, SizesMustFit) {
  EXPECT_EQ(refusal({{"location", "w.bin"}, {"length", "12"}}),
            "~/model/m.onnx: initializer 'w' wants 16 bytes, its external data has length 12");
  EXPECT_EQ(
      refusal({{"location", "w.bin"}, {"offset", "12"}, {"length", "16"}}),
      "~/model/m.onnx: initializer 'w': external data 'w.bin' has 24 bytes, offset 12 and length 16 go past its end");
  EXPECT_EQ(
      refusal({{"location", "w.bin"}, {"offset", "18446744073709551615"}}),
      "~/model/m.onnx: initializer 'w': external data 'w.bin' has 24 bytes, offset 18446744073709551615 and length "
      "16 go past its end");
  for (const char *number : {"-1", "4x", "18446744073709551616", " 4"})
    EXPECT_EQ(refusal({{"location", "w.bin"}, {"offset", number}}),
              "~/model/m.onnx: initializer 'w': external data offset '" + std::string(number) +
                  "' is not a number of bytes");
}

TEST_F(ExternalDataTest, ABadFileIsNamed) {
  std::filesystem::create_directory(folder / "model/folder.bin");
  EXPECT_THAT(refusal({{"location", "folder.bin"}}),
              testing::HasSubstr("initializer 'w': external data: ~/model/folder.bin: is a folder, not a file"));
}
