// What leads out of a file: soft and external links, external storage, virtual datasets. Such a
// file is refused before anything is read through them, because a data file must not choose what
// else is opened. (Plug-ins for filters are switched off where files are opened.)
#include <stdio.h>

#include "h5_internal.h"

static herr_t check_link(hid_t group, const char* name, const H5L_info_t* info, void* context) {
  (void)group;
  if (info->type == H5L_TYPE_HARD) {
    return 0;
  }
  snprintf(context, H5_LINK_SIZE, "%s", name);
  return 1;
}

bool h5_leads_out(char link[H5_LINK_SIZE], hid_t file) {
  link[0] = '\0';
  return H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, check_link, link) != 0;
}

// Where HDF5 does not tell, why stands in its last error, which closing the list would clear.
bool h5_holds_itself(hid_t set) {
  hid_t list = H5Dget_create_plist(set);
  H5D_layout_t layout = list >= 0 ? H5Pget_layout(list) : H5D_LAYOUT_ERROR;
  int outside = layout >= 0 ? H5Pget_external_count(list) : -1;
  if (outside >= 0) {
    H5Pclose(list);
  }
  return layout != H5D_VIRTUAL && outside == 0;
}
