// The runner's parts that are values: text on the screen, pastes, places for cgroups, the stream's files.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "dispatcher/runner/cgroup_places.h"
#include "dispatcher/runner/paste.h"
#include "dispatcher/runner/screen_text.h"
#include "dispatcher/runner/stream_file.h"

namespace holdfast {
namespace {

TEST(ScreenText, TakesEscapesOutWhereverTheyAreCut) {
  const std::string bytes =
      "a\x1b[1;31mb\x1b]0;title\x07"
      "c\x1b]8;;x\x1b\\d\x1b(Be\x1bP1$r\x1b\\f\rg\x1b[2Ch\x1b=i\x1b[?25lj\x7f\x08k\n";
  for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
    ScreenText screen;
    std::string plain;
    for (std::size_t at = 0; at < bytes.size(); at += piece) plain += screen.read(bytes.substr(at, piece));
    EXPECT_EQ(plain, "abcdefg hijk\n") << piece;
  }
}

TEST(ScreenText, KnowsBracketedPaste) {
  ScreenText screen;
  EXPECT_FALSE(screen.bracketed_paste());
  screen.read("\x1b[?20");
  screen.read("04h");
  EXPECT_TRUE(screen.bracketed_paste());
  screen.read("\x1b[?25;2004;1l");
  EXPECT_FALSE(screen.bracketed_paste());
  screen.read("\x1b[2004h\x1b[?20041h");
  EXPECT_FALSE(screen.bracketed_paste());
}

TEST(PatternWatch, FindsAPatternInPieces) {
  PatternWatch watch{"ready"};
  for (const auto* piece : {"r", "re", "ready is not ", "rea"}) watch.read(piece);
  EXPECT_TRUE(watch.seen());
  PatternWatch other{"ready"};
  for (const auto* piece : {"re", "a", "d"}) other.read(piece);
  EXPECT_FALSE(other.seen());
  other.read("y");
  EXPECT_TRUE(other.seen());
}

TEST(Paste, LeavesNoControlBytes) {
  EXPECT_EQ(harmless("a\x1b[b\x03\r\n\tc\x7f"), "a[b\n\tc");
  EXPECT_EQ(harmless("\xc2\x9b"
                     "é漢🦊\xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80x"),
            "é漢🦊x");
  EXPECT_EQ(harmless("\xe6\xbc"), "");
}

TEST(Paste, KnowsWhatATerminalTakes) {
  const TerminalMode lines{false, true, true}, raw{true, false, true};
  EXPECT_FALSE(what_keeps_from_pasting(std::string(4095, 'x') + "\n" + std::string(4095, 'x'), lines));
  EXPECT_TRUE(what_keeps_from_pasting("a\n" + std::string(4096, 'x'), lines));
  EXPECT_FALSE(what_keeps_from_pasting(std::string(4096, 'x'), raw));
  EXPECT_EQ(paste_bytes("a\nb", raw), "\x1b[200~a\rb\x1b[201~");
  EXPECT_EQ(paste_bytes("a\nb", lines), "a\nb");
  EXPECT_EQ(enter_bytes(lines), "\r");
  EXPECT_EQ(enter_bytes({false, true, false}), "\n");
}

TEST(CgroupPlaces, FindsBothVersions) {
  const auto places = cgroup_places(
      "34 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "35 30 0:32 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "40 30 0:37 /docker/abc /sys/fs/cgroup/unified rw shared:1 - cgroup2 cgroup2 rw\nnonsense\n",
      "9:name=systemd:/\n4:memory:/a/b\n0::/docker/abc/x\n");
  EXPECT_EQ(places.v1, (std::vector<std::string>{"/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/memory/a",
                                                 "/sys/fs/cgroup/memory"}));
  EXPECT_EQ(places.v2, (std::vector<std::string>{"/sys/fs/cgroup/unified/x", "/sys/fs/cgroup/unified"}));
  const auto outside = cgroup_places("40 30 0:37 /a /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/../b\n");
  EXPECT_EQ(outside.v2, std::vector<std::string>{"/sys/fs/cgroup"});
  EXPECT_TRUE(cgroup_places("", "").v1.empty());
}

TEST(StreamFile, KeepsHeadAndTailAndTheirOffsets) {
  char pattern[] = "/tmp/hf-stream-XXXXXX";
  const std::string folder = ::mkdtemp(pattern);
  StreamFile stream{folder, 64 << 10};
  std::string all;
  for (int i = 0; i < 30'000; ++i) {
    const auto line = std::to_string(i) + "\n";
    stream.append(line);
    all += line;
  }
  EXPECT_EQ(stream.bytes(), static_cast<std::int64_t>(all.size()));
  EXPECT_EQ(stream_extent(folder).bytes, stream.bytes());
  EXPECT_EQ(read_stream_piece(folder, 100, 50).bytes, all.substr(100, 50));
  const auto hole = read_stream_piece(folder, 40'000, 50);
  EXPECT_EQ(hole.bytes, "");
  ASSERT_GT(hole.next_known, 40'000);
  EXPECT_EQ(read_stream_piece(folder, hole.next_known, 50).bytes,
            all.substr(static_cast<std::size_t>(hole.next_known), 50));
  EXPECT_EQ(read_stream_piece(folder, stream.bytes() - 5, 50).bytes, all.substr(all.size() - 5));
  EXPECT_EQ(read_stream_piece(folder, stream.bytes(), 50).bytes, "");
  std::uintmax_t kept = 0;
  for (const auto& file : std::filesystem::directory_iterator{folder}) kept += file.file_size();
  EXPECT_LE(kept, 64U << 10);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace holdfast
