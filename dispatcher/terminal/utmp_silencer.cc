// Preloaded into our private tmux servers, and into nothing else: tmux's calls to libutempter do nothing. For
// each pane it would otherwise start a setgid helper that writes the login records, twice in a pane's life,
// and wait for it; that is a good part of what a new session costs. A worker's pane is no login.
//
// Links nothing, so that it can be loaded into any build of tmux.
extern "C" {

int utempter_add_record(int, const char*) {
  return 1;
}
int utempter_remove_record(int) {
  return 1;
}
int utempter_remove_added_record(void) {
  return 1;
}
void utempter_set_helper(const char*) {}

}  // extern "C"
