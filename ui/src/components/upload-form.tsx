import { useRef } from 'react';
import { chosenFiles, chosenFolder, type Selection } from '../dropped-files.ts';
import { texts } from '../texts.ts';
import { UploadIcon } from './icons.tsx';
import { CameraIcon, FolderIcon } from './upload-icons.tsx';

/**
 * Opens the browser's chooser. The input belongs to no form and needs no label: the button that calls this has its
 * own. Returned, because some browsers forget one that nobody holds.
 */
const choose = (
  onFiles: (files: Iterable<File>) => void,
  attributes: Readonly<Record<string, string>>,
): HTMLInputElement => {
  const input = document.createElement('input');
  input.type = 'file';
  // Not every browser that honours them has properties of these names.
  for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
  input.addEventListener('change', () => onFiles(input.files ?? []));
  input.click();
  return input;
};

/** Chooses files; whether they are images the server decides, from their bytes. Of a folder it takes the pictures. */
export const UploadForm = ({ onSelection }: { onSelection: (selection: Selection) => void }) => {
  const chooser = useRef<HTMLInputElement>(null);
  const takePhoto = () => {
    const attributes = { accept: 'image/*', capture: 'environment' };
    chooser.current = choose((files) => onSelection(chosenFiles(files)), attributes);
  };
  const chooseFolder = () => {
    chooser.current = choose((files) => onSelection(chosenFolder(files)), { webkitdirectory: '' });
  };
  return (
    <form className="upload" aria-label={texts.upload.title} onSubmit={(event) => event.preventDefault()}>
      <input
        id="upload-files"
        className="visually-hidden"
        type="file"
        name="image"
        multiple
        onChange={(event) => {
          if (event.target.files) onSelection(chosenFiles(event.target.files));
          // Otherwise choosing the same file again would be no change.
          event.target.value = '';
        }}
      />
      <label htmlFor="upload-files" className="button button-main">
        <UploadIcon />
        {texts.upload.choose}
      </label>
      <button type="button" className="button upload-camera" onClick={takePhoto}>
        <CameraIcon />
        {texts.upload.takePhoto}
      </button>
      <button type="button" className="button upload-folder" onClick={chooseFolder}>
        <FolderIcon />
        {texts.upload.chooseFolder}
      </button>
      <p>{texts.upload.hint}</p>
    </form>
  );
};
