import { texts } from '../texts.ts';
import { UploadIcon } from './icons.tsx';

/** Chooses files; whether they are images the server decides, from their bytes. */
export const UploadForm = ({ onFiles }: { onFiles: (files: FileList) => void }) => (
  <form className="upload" aria-label={texts.upload.title} onSubmit={(event) => event.preventDefault()}>
    <input
      id="upload-files"
      className="visually-hidden"
      type="file"
      name="image"
      multiple
      onChange={(event) => {
        if (event.target.files) onFiles(event.target.files);
        // Otherwise choosing the same file again would be no change.
        event.target.value = '';
      }}
    />
    <label htmlFor="upload-files" className="button button-main">
      <UploadIcon />
      {texts.upload.choose}
    </label>
    <p>{texts.upload.hint}</p>
  </form>
);
