// Files that are either wholly there or not there at all, also after a power cut. Every change is: write a
// temporary file, fsync it, rename or link it into place, fsync the folder. Answers are errno values, 0 is
// fine.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast {

// Writes all of it, also across signals and short writes. Only for blocking descriptors.
int write_all(int fd, std::string_view bytes);

int sync_folder(const std::string& folder);

// `no`: complete or not there for every reader, but not flushed. For what is worth nothing after a power cut,
// since whoever was to read it is gone then too.
enum class Durable { yes, no };

// Makes the folder if it is missing (one level) and its name durable in its parent.
int make_folder(const std::string& folder, Durable = Durable::yes);

// The file's contents are replaced in one step; readers see the old or the new ones, complete.
int replace_file(const std::string& folder, const std::string& name, std::string_view contents,
                 Durable = Durable::yes);

// Appears complete or not at all, and never over something that is there already.
enum class Created { now, existed, failed };
struct CreateAnswer {
  Created created = Created::failed;
  int error = 0;  // for failed: nothing is known about the file then, look
};
CreateAnswer create_exclusively(const std::string& folder, const std::string& name, std::string_view contents,
                                Durable = Durable::yes);

struct FileText {
  int error = 0;
  std::string text;
  bool longer = false;  // there is more than was read
};
FileText read_file(const std::string& path, std::size_t at_most, std::size_t offset = 0);

// "ENOENT" has its words: "No such file or directory". Thread safe.
std::string errno_words(int error);

}  // namespace holdfast
