// A scripted worker: it does what its prompt says, line by line. The demonstration and the end-to-end tests
// use it in the place of a coding agent, so that prompt, worktree, markers, exits and deaths are all real.
//
// The script begins after a line `#!puppet` and ends with `end.`. A line may be bound to one attempt with `@2
// ...`.
//
//   write FILE TEXT (%a stands for the attempt, in both) | append FILE TEXT | commit MESSAGE | branch NAME |
//   checkout NAME say TEXT | done TEXT | review TEXT | ask TEXT (waits for a line, kept in answer.txt) sleep
//   MS | wait FILE | touch FILE | exit N | abort | die SIGNAL | oom | child MS | escape MS | ignore-term |
//   hang | busy | ready
//
// Truth for auditors: where PUPPET_STAGE names a folder, it holds an exclusive kernel lock per ticket for as
// long as anything of its tree lives (children inherit it), and journals start, prompt and end. A refused
// lock is two workers.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

namespace {

long number(const std::string& digits) {
  return std::strtol(digits.c_str(), nullptr, 10);
}

std::string env(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

void journal(const std::string& what) {
  const std::string stage = env("PUPPET_STAGE");
  if (stage.empty()) return;
  const int fd = ::open((stage + "/journal").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const std::string line = std::to_string(now.tv_sec * 1000 + now.tv_nsec / 1'000'000) + " " +
                           env("HOLDFAST_TICKET") + " " + env("HOLDFAST_GENERATION") + " " +
                           std::to_string(getpid()) + " " + what + "\n";
  [[maybe_unused]] const auto written = ::write(fd, line.data(), line.size());  // one write: lines never mix
  ::close(fd);
}

// Held by this process and everything it starts; the descriptor is never closed.
void take_the_ticket() {
  const std::string stage = env("PUPPET_STAGE");
  if (stage.empty()) return;
  const int fd = ::open((stage + "/" + env("HOLDFAST_TICKET") + ".alive").c_str(), O_RDWR | O_CREAT, 0644);
  if (fd < 0 || ::flock(fd, LOCK_EX | LOCK_NB) != 0) journal("TWO-WORKERS");
}

void sleep_ms(long ms) {
  timespec left{ms / 1000, (ms % 1000) * 1'000'000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

int run(const std::vector<std::string>& argv) {
  std::vector<char*> raw;
  for (const std::string& part : argv) raw.push_back(const_cast<char*>(part.c_str()));
  raw.push_back(nullptr);
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    execvp(raw[0], raw.data());
    _exit(127);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void put(const std::string& file, const std::string& text, int how) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0644);
  if (fd < 0) return;
  const std::string line = text + "\n";
  [[maybe_unused]] const auto written = ::write(fd, line.data(), line.size());
  ::close(fd);
}

void tell(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

bool read_line(std::FILE* from, std::string& line) {
  line.clear();
  for (int c = std::fgetc(from); c != EOF; c = std::fgetc(from)) {
    if (c == '\n' || c == '\r') return true;
    line += static_cast<char>(c);
  }
  return !line.empty();
}

std::string rest_after(const std::string& text, std::size_t words) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < words; ++i) {
    at = text.find(' ', at);
    if (at == std::string::npos) return "";
    ++at;
  }
  return text.substr(at);
}

// Until the kernel ends it. With no ceiling it stops at 1 GiB, so that a machine without cgroups is not
// harmed.
void use_all_memory() {
  constexpr std::size_t step = 4UL << 20;
  for (std::size_t used = 0; used < (1UL << 30); used += step) {
    void* block = mmap(nullptr, step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) std::exit(99);
    std::memset(block, 1, step);
  }
  std::exit(99);
}

// What git prints for these arguments, without its newline.
std::string ask_git(const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe(ends) != 0) return "";
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], 1);
    std::vector<char*> raw{const_cast<char*>("git")};
    for (const std::string& part : arguments) raw.push_back(const_cast<char*>(part.c_str()));
    raw.push_back(nullptr);
    execvp("git", raw.data());
    _exit(127);
  }
  ::close(ends[1]);
  std::string out;
  char buffer[256];
  for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

void commit(const std::string& message) {
  run({"git", "add", "-A"});
  run({"git", "-c", "user.name=Puppet", "-c", "user.email=puppet@localhost", "commit", "-q", "-m", message});
  journal("commit " + ask_git({"rev-parse", "HEAD"}));
}

std::string for_this_attempt(std::string text) {
  const std::string attempt = env("HOLDFAST_TICKET") + "-g" + env("HOLDFAST_GENERATION");
  for (std::size_t at = text.find("%a"); at != std::string::npos; at = text.find("%a", at + attempt.size()))
    text.replace(at, 2, attempt);
  return text;
}

void play(const std::string& line) {
  const std::string verb = line.substr(0, line.find(' '));
  const std::string rest = rest_after(line, 1);
  const std::string word = rest.substr(0, rest.find(' '));
  if (verb == "write") {
    put(for_this_attempt(word), for_this_attempt(rest_after(line, 2)), O_TRUNC);
    journal("wrote " + for_this_attempt(word));
  } else if (verb == "append")
    put(word, rest_after(line, 2), O_APPEND);
  else if (verb == "commit")
    commit(rest);
  else if (verb == "branch")
    run({"git", "branch", "-q", rest});
  else if (verb == "checkout")
    run({"git", "checkout", "-q", "-b", rest});
  else if (verb == "back")
    run({"git", "checkout", "-q", rest});
  else if (verb == "say")
    tell(rest);
  else if (verb == "done")
    tell("DONE: " + rest);
  else if (verb == "review")
    tell("REVIEW: " + rest);
  else if (verb == "ask") {
    tell("QUESTION: " + rest);
    std::string answer;
    while (answer.empty() && read_line(stdin, answer)) {
    }
    journal("answer " + answer);
    put("answer.txt", answer, O_TRUNC);
  } else if (verb == "sleep")
    sleep_ms(number(word));
  else if (verb == "wait") {
    while (::access(word.c_str(), F_OK) != 0) sleep_ms(10);
  } else if (verb == "touch")
    put(word, "", O_APPEND);
  else if (verb == "exit") {
    journal("end exit " + word);
    std::exit(static_cast<int>(number(word)));
  } else if (verb == "abort")
    std::abort();
  else if (verb == "die")
    ::kill(getpid(), static_cast<int>(number(word)));
  else if (verb == "oom")
    use_all_memory();
  else if (verb == "child") {
    if (fork() == 0) {
      setsid();
      sleep_ms(number(word));
      _exit(0);
    }
  } else if (verb == "escape") {  // a child that leaves session and cgroup behind
    if (fork() == 0) {
      setsid();
      bool out = false;
      for (const char* top : {"/sys/fs/cgroup/memory/cgroup.procs", "/sys/fs/cgroup/cgroup.procs"}) {
        const int fd = ::open(top, O_WRONLY | O_CLOEXEC);
        out = out || (fd >= 0 && ::write(fd, "0", 1) == 1);
        if (fd >= 0) ::close(fd);
      }
      journal(out ? "escaped" : "cannot escape");
      sleep_ms(number(word));
      _exit(0);
    }
  } else if (verb == "ignore-term") {
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
  } else if (verb == "hang") {
    for (;;) pause();
  } else if (verb == "busy")
    put(env("HOLDFAST_BUSY_FILE"), "", O_APPEND);
  else if (verb == "ready")
    ::unlink(env("HOLDFAST_BUSY_FILE").c_str());
  else if (!verb.empty())
    tell("puppet: what is '" + verb + "'?");
}

}  // namespace

int main() {
  rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  take_the_ticket();
  journal("start");
  if (env("PUPPET_READY") == "late") sleep_ms(number(env("PUPPET_READY_MS")));
  const bool flap =
      env("PUPPET_READY") == "flap";  // ready, and busy at once: the send that follows is refused
  if (flap) put(env("HOLDFAST_BUSY_FILE"), "", O_APPEND);
  if (env("PUPPET_READY") != "never" && !env("HOLDFAST_READY_FILE").empty())
    put(env("HOLDFAST_READY_FILE"), "", O_APPEND);
  if (flap) {
    while (::access((env("PUPPET_STAGE") + "/let-go").c_str(), F_OK) != 0) sleep_ms(10);
    ::unlink(env("HOLDFAST_BUSY_FILE").c_str());
  }

  std::FILE* script = stdin;
  if (const std::string file = env("HOLDFAST_PROMPT_FILE"); !file.empty() && env("PUPPET_PROMPT") == "file")
    script = std::fopen(file.c_str(), "r");
  if (script == nullptr) return 97;
  std::string line;
  std::vector<std::string> lines;
  bool inside = false;
  while (read_line(script, line)) {
    if (line == "#!puppet") {
      inside = true;
      continue;
    }
    if (line == "end.") break;
    if (inside) lines.push_back(line);
  }
  journal("prompt " + std::to_string(lines.size()));
  for (const std::string& each : lines) {
    std::string todo = each;
    if (todo.starts_with("@")) {
      if (todo.substr(1, todo.find(' ') - 1) != env("HOLDFAST_GENERATION")) continue;
      todo = rest_after(todo, 1);
    }
    play(todo);
  }
  journal("end exit 0");
  return 0;
}
